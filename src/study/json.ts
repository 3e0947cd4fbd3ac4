import { textTable } from '../flow/terminal.js';
import { NONE } from '../plot/table.js';
import { metricReplacer } from '../storage/metric-reader.js';
import type { Judged, Test } from './comparison.js';
import { costInWords, onGpu } from './cost.js';
import { viewName } from './distances.js';
import { commandFor, type StudyOutcome, scaleInWords, scaleOfClaim, statesOf } from './outcome.js';
import { basis, chance, effectInWords, partly, reason, SIGNS, turning, weakest } from './phrases.js';
import type { Claim } from './study.js';

/** Every verdict of a study with its numbers, as JSON. */
export function verdictsJson(outcome: StudyOutcome): string {
  const { study, profile, createdAt, weir, command, claims, experiments, results, notes } = outcome;
  const value = {
    ...{ study: study.name, title: study.title, profile, rehearsal: outcome.isRehearsal, scale: scaleInWords(outcome) },
    ...{ createdAt, weir, command },
    correction: {
      method: 'Holm',
      over: 'the claims of one experiment',
      tests: claims.filter(({ p }) => p !== null).length,
    },
    claims: claims.map((judged) => ({
      id: judged.claim.id,
      where: judged.claim.where,
      words: judged.claim.words,
      verdict: judged.word,
      family: judged.family,
      pCorrected: judged.p,
      onPage: { verdict: judged.onPage.word, pCorrected: judged.onPage.p },
      reason: reason(judged),
      turns: turning(judged),
      scale: scaleOfClaim(outcome, judged.claim),
      command: commandFor(outcome, judged.claim),
      comparisons: judged.comparisons.map(comparisonJson),
    })),
    experiments: experiments.map((state) => {
      const { scaled, done, jobs, left, paper } = state;
      return {
        name: scaled.name,
        ...{ jobs, done, secondsLeft: left, secondsOfPaper: paper },
        notOfPaper: scaled.apart,
        ...(scaled.lacking !== undefined && { lacking: scaled.lacking }),
      };
    }),
    results: results.map(({ experiment, setting, seed, config, made, networks }) => ({
      ...{ experiment, setting, seed, config, made, networks: networks.length },
    })),
    notJudged: study.notJudged,
    notes,
  };
  return `${JSON.stringify(value, metricReplacer, 1)}\n`;
}

function comparisonJson({ analysis, label, region, tests, beside, checked }: Judged): Record<string, unknown> {
  return { label, analysis, region, ...(checked && { checked }), tests: [...tests, ...beside].map(testJson) };
}

const testJson = ({ view, means, estimate, word, p }: Test): Record<string, unknown> => ({
  ...(view && { view: viewName(view) }),
  ...{ verdict: word, means, p },
  ...(estimate && {
    ...{
      difference: estimate.value,
      lower: estimate.lower,
      upper: estimate.upper,
      standardError: estimate.standardError,
    },
    ...{ n: estimate.n, paired: estimate.paired, seeds: estimate.values },
  }),
});

/** The verdicts as lines for a terminal; first, where the scale is not the paper's, that it is not. */
export function verdictLines(outcome: StudyOutcome): string[] {
  const rows = outcome.claims.map((judged) => {
    const hanging = weakest(judged);
    const [test] = hanging.tests;
    const isOpen = judged.word === 'not run';
    const cost = isOpen
      ? [partly(judged), notRun(outcome, judged.claim)].filter(Boolean).join('; ')
      : effectInWords(test, hanging);
    return [
      `${SIGNS[judged.word]} ${judged.word}`,
      judged.claim.id,
      cost,
      isOpen ? NONE : chance(judged),
      isOpen || test.estimate === null ? '' : basis(test),
      judged.turned.length > 0 ? 'turns' : '',
    ];
  });
  const scale = scaleInWords(outcome);
  const word = outcome.isRehearsal ? 'rehearsal' : 'verdict';
  return [
    ...(scale === '' ? [] : [scale]),
    ...textTable([[word, 'claim', 'effect [95 % interval]', 'p (Holm)', 'n', ''], ...rows]),
  ];
}

/** Why a claim has no result, and what it would cost. */
export function notRun(outcome: StudyOutcome, claim: Claim): string {
  const states = statesOf(outcome, claim);
  const open = states.filter(({ left }) => left > 0);
  const lacking = states.find(({ scaled }) => scaled.lacking !== undefined)?.scaled.lacking;
  if (open.length === 0) return lacking ?? `the profile ${outcome.profile} leaves its settings out`;
  const cost = costInWords({
    left: open.reduce((sum, { left }) => sum + left, 0),
    gpu: open.reduce((sum, one) => sum + onGpu(one), 0),
  });
  return [lacking, `${open.map(({ scaled }) => scaled.name).join(', ')}: ${cost}`].filter(Boolean).join('; ');
}
