import { mean } from '../../plot/report-statistics.js';
import { type Comparison, compareSeeds } from './compare.js';
import { familyOf } from './family.js';
import { type Measure, measured } from './measures.js';
import type { Report } from './record.js';
import { type Group, groups, opposed, type Pair } from './report-groups.js';

/** Two methods side by side in one measure. */
export interface Compared {
  readonly pipeline: string;
  readonly setting: string;
  readonly a: Group;
  readonly b: Group;
  readonly measure: Measure;
  /** Mean of `a` less mean of `b`, over all their networks. */
  readonly difference: number;
  /** Over seeds; null where there are too few for seeds to tell. */
  readonly test: Comparison | null;
  /** The test's p by Holm's method, all tests of the report allowed for; null where there is none. */
  readonly corrected: number | null;
}

/**
 * Every method against the unregularized one, and rep-spectral against every other, in every measure that both have. Of networks that
 * were trained twice also every pretraining against none, and every fine-tuning against none, with the other stage the same.
 */
export function comparisons(report: Report): Compared[] {
  const all = groups(report);
  const measures = measured(report.networks);
  return opposed(all).flatMap(([a, b]) => measures.flatMap((measure) => compared(report, [a, b], measure) ?? []));
}

/** One pair in one measure; null where a side has no value. */
export function compared(report: Report, [a, b]: Pair, measure: Measure): Compared | null {
  const of = (group: Group) => group.networks.flatMap((network) => measure.of(network) ?? []);
  const [left, right] = [of(a), of(b)];
  if (left.length === 0 || right.length === 0) return null;
  const test = compareSeeds(a, b, measure.of);
  const difference = test?.value ?? mean(left) - mean(right);
  const corrected = test && familyOf(report).corrected(a, b, measure.name, 'seeds');
  return { pipeline: a.pipeline, setting: a.setting, a, b, measure, difference, test, corrected };
}

/** The test in words: its name and n; or that there is none. */
export function tested({ test }: Compared): string {
  if (test === null) return 'one seed: seeds cannot tell';
  return `${test.paired ? 'paired t' : 'Welch’s t'}, n = ${test.n} seeds`;
}

/** p with two digits and the sign before it; below 0.0001 as such. */
export function probability(p: number): string {
  return p < 1e-4 ? '< 0.0001' : `= ${p.toPrecision(2)}`;
}

/** How p was corrected, as a phrase; '' where a report makes a single test. */
export function correction(report: Report): string {
  const { tests } = familyOf(report);
  return tests < 2 ? '' : `Holm’s correction over the ${tests} tests of this report`;
}
