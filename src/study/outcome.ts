import { version } from '../storage/file-format.js';
import type { StudyNetwork } from './comparison.js';
import { type ExperimentState, stateOf } from './cost.js';
import { type JudgedClaim, judge } from './judge.js';
import type { StudyResult } from './results.js';
import { isRehearsal, type ScaledStudy } from './scale.js';
import { type Claim, experimentsOf, type Study } from './study.js';

/** All that the page of a study is made of. */
export interface StudyOutcome {
  readonly claims: readonly JudgedClaim[];
  readonly study: Study;
  readonly profile: string;
  /** Whether its words are a rehearsal, no verdicts. */
  readonly isRehearsal: boolean;
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
    isRehearsal: isRehearsal(scaled),
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

/** How the scale of a study is not the paper's, for the top of its page; '' where it is. */
export function scaleInWords({ isRehearsal, profile, experiments }: StudyOutcome): string {
  const apart = experiments.filter(({ scaled }) => scaled.apart.length > 0);
  if (isRehearsal) {
    const what = apart.map(({ scaled }) => `${scaled.name}: ${scaled.apart.join(', ')}`).join('; ');
    return `A rehearsal: the settings of profile ${profile} are not the paper’s, and its words are no verdicts. What is not the paper’s: ${what}.`;
  }
  if (apart.length === 0) return '';
  const names = apart.map(({ scaled }) => scaled.name).join(', ');
  return `Not at the paper’s scale: ${apart.length} of ${experiments.length} experiments (${names}). The section of each claim says what differs.`;
}

/** The same of a claim's experiments, a sentence. */
export function scaleOfClaim(outcome: Pick<StudyOutcome, 'experiments'>, claim: Claim): string {
  const apart = statesOf(outcome, claim).filter(({ scaled }) => scaled.apart.length > 0);
  if (apart.length === 0) return '';
  return `Not the paper’s scale: ${apart.map(({ scaled }) => `${scaled.name} (${scaled.apart.join(', ')})`).join('; ')}.`;
}
