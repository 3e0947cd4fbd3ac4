import { type Comparison, compareSeeds } from './compare.js';
import type { Report } from './data.js';
import { type Group, groups } from './groups.js';
import { type Measure, measured } from './measures.js';
import { mean } from './statistics.js';
import { transferOf, unregularised } from './transfer.js';

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
}

/**
 * Every method against the unregularised one, and rep-spectral against every other, in every measure that both have. Of networks that
 * were trained twice also every pretraining against none, and every fine-tuning against none, with the other stage the same.
 */
export function comparisons(report: Report): Compared[] {
  const all = groups(report);
  const measures = measured(report.networks);
  return all.flatMap((b) =>
    all
      .filter((a) => a.pipeline === b.pipeline && a.setting === b.setting && opposed(a, b))
      .flatMap((a) => measures.flatMap((measure) => compared(a, b, measure) ?? [])),
  );
}

/** One pair in one measure; null where a side has no value. */
export function compared(a: Group, b: Group, measure: Measure): Compared | null {
  const of = (group: Group) => group.networks.flatMap((network) => measure.of(network) ?? []);
  const [left, right] = [of(a), of(b)];
  if (left.length === 0 || right.length === 0) return null;
  const test = compareSeeds(a, b, measure.of);
  const difference = test?.value ?? mean(left) - mean(right);
  return { pipeline: a.pipeline, setting: a.setting, a, b, measure, difference, test };
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

function opposed(a: Group, b: Group): boolean {
  if (a === b || unregularised(a.regulariser)) return false;
  if (unregularised(b.regulariser) || a.regulariser === 'rep-spectral') return true;
  const [mine, theirs] = [transferOf(a.regulariser), transferOf(b.regulariser)];
  if (!mine || !theirs) return false;
  if (mine.finetuned === theirs.finetuned) return theirs.pretrained === 'none';
  return mine.pretrained === theirs.pretrained && theirs.finetuned === 'none';
}
