import { holm, type MeanDifference, oneSided } from '../plot/statistics.js';

/** The verdict on a claim, or on one comparison of it. */
export type Word = 'holds' | 'fails' | 'not told apart' | 'not run';

/** Where a claim says that a mean lies: an open interval, without an end where none is given. */
export interface Region {
  readonly above?: number;
  readonly below?: number;
}

/** A mean over seeds, or the mean difference of two sides, with its standard error. */
export interface Estimate extends MeanDifference {
  /** Seeds, of the smaller side where they are not paired. */
  readonly n: number;
  readonly paired: boolean;
  /** Of each seed, where they are paired or of one side. */
  readonly values: readonly number[];
}

/** What the seeds say of a region. */
export interface Decision {
  /** What is decided if p is small enough. */
  readonly side: 'holds' | 'fails';
  /** Two-sided: twice the chance of an estimate as far inside, or outside, if the true mean were at the region's end. */
  readonly p: number;
}

export const LEVEL = 0.05;

/**
 * What an estimate says of a region, and how surely. One rule for all comparisons: the smaller of two one-sided p, doubled.
 *
 * - For the claim: the mean lies in the region. Of two ends the larger p counts: TOST (Schuirmann 1987).
 * - Against it: the mean lies outside. Of two ends the smaller p counts.
 *
 * For a region with one end at 0 this is Student's two-sided test. p < 0.05 is the same as a 95 % interval that lies within the region,
 * or without.
 *
 * Where all seeds have the same value there is no spread for Student's t, and the sign test takes its place: 2 · 2⁻ⁿ.
 *
 * @returns null for fewer than two seeds, and for a mean that is the region's very end
 */
export function decide(estimate: Estimate, { above, below }: Region): Decision | null {
  const { value, standardError, freedom, n } = estimate;
  if (n < 2 || standardError === null || freedom === null || !Number.isFinite(value)) return null;
  const ends = [...(above === undefined ? [] : [value - above]), ...(below === undefined ? [] : [below - value])];
  if (!(standardError > 0)) {
    if (ends.some((distance) => distance === 0)) return null;
    return { side: ends.every((distance) => distance > 0) ? 'holds' : 'fails', p: Math.min(1, 2 * 0.5 ** n) };
  }
  const inside = Math.max(...ends.map((distance) => oneSided(distance / standardError, freedom)));
  const outside = Math.min(...ends.map((distance) => oneSided(-distance / standardError, freedom)));
  const side = inside <= outside ? 'holds' : 'fails';
  return { side, p: Math.min(1, 2 * Math.min(inside, outside)) };
}

/** The word of each decision, all tests of a page allowed for by Holm's method; and its p by that. */
export function words(
  decisions: readonly (Decision | null)[],
): readonly { readonly word: Exclude<Word, 'not run'>; readonly corrected: number | null }[] {
  const corrected = holm(decisions.flatMap((decision) => decision?.p ?? []));
  let at = 0;
  return decisions.map((decision) => {
    if (decision === null) return { word: 'not told apart', corrected: null };
    const p = corrected[at++]!;
    return { word: p < LEVEL ? decision.side : 'not told apart', corrected: p };
  });
}

/** The verdict on a claim of several comparisons: it holds if all hold, and fails if any is shown the other way round. */
export function together(all: readonly Word[]): Word {
  if (all.every((word) => word === 'not run')) return 'not run';
  if (all.includes('fails')) return 'fails';
  return all.every((word) => word === 'holds') ? 'holds' : 'not told apart';
}
