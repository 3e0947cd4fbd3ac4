import { version } from '../storage/file-format.js';
import { type ExperimentState, stateOf } from './cost.js';
import { type JudgedClaim, judge, type StudyNetwork } from './judge.js';
import type { StudyResult } from './results.js';
import type { ScaledStudy } from './scale.js';
import { type Claim, experimentsOf, type Study } from './study.js';

/** All that the page of a study is made of. */
export interface StudyOutcome {
  readonly claims: readonly JudgedClaim[];
  readonly study: Study;
  readonly profile: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly weir: string;
  /** The command without `--only`. */
  readonly command: string;
  readonly experiments: readonly ExperimentState[];
  readonly results: readonly StudyResult[];
  readonly networks: readonly StudyNetwork[];
  /** Whatever else a reader should know, a sentence each. */
  readonly notes: readonly string[];
}

/** Judges the claims of a study by some results. @param command that made them, without `--only` */
export function outcomeOf(
  scaled: ScaledStudy,
  results: readonly StudyResult[],
  command: string,
  notes: readonly string[] = [],
): StudyOutcome {
  const { study, profile } = scaled;
  const networks = results.flatMap(({ experiment, setting, networks }) =>
    networks.map((network): StudyNetwork => ({ experiment, setting, network })),
  );
  return {
    claims: judge(study, networks),
    study,
    profile,
    createdAt: new Date().toISOString(),
    weir: version,
    command,
    experiments: scaled.experiments.map((one) => stateOf(one, results)),
    results,
    networks,
    notes: [...notes, ...ofCommits(results)],
  };
}

/** Results of different builds are allowed, and said. */
function ofCommits(results: readonly StudyResult[]): string[] {
  const commits = [...new Set(results.map(({ made }) => made.commit || 'an unknown commit'))];
  if (commits.length < 2) return [];
  return [
    `The results were made by ${commits.length} commits of Weir: ${commits.map((one) => one.slice(0, 14)).join(', ')}.`,
  ];
}

/** The command that makes what a claim is judged by. */
export const commandFor = ({ command }: Pick<StudyOutcome, 'command'>, claim: Claim): string =>
  `${command} --only ${experimentsOf(claim).join(' ')}`;

/** The experiments of a claim. */
export const statesOf = ({ experiments }: Pick<StudyOutcome, 'experiments'>, claim: Claim): ExperimentState[] =>
  experiments.filter(({ scaled }) => experimentsOf(claim).includes(scaled.name));
