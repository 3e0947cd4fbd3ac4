import { holm, type MeanDifference, oneSided } from '../plot/statistics.js';

/** The verdict on a claim, or on one comparison of it. */
export type Word = 'holds' | 'fails' | 'not told apart' | 'not run';

/** Where a claim says that a mean lies: an open interval, without an end where none is given. */
export interface ClaimedRegion {
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
 * Where all seeds have the same value there is no spread for Student's t, and the sign test takes its place: 2 · 2⁻ⁿ (`isBySign`).
 *
 * @returns null for fewer than two seeds, and for a mean that is the region's very end
 */
export function decide(estimate: Estimate, { above, below }: ClaimedRegion): Decision | null {
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

/** Whether the seeds have no spread, so that the sign test decides. */
export const isBySign = ({ n, standardError }: Estimate): boolean => n >= 2 && standardError === 0;

/**
 * The decision on a claim of several comparisons; null where the seeds decide nothing.
 *
 * - For it: all must hold, so the largest of their p counts, and none is corrected (intersection and union, Berger 1982).
 * - Against it: one that fails is enough, so the smallest p counts, times the number of all that the claim has (Bonferroni): it was
 *   fixed before any run, and does not depend on which of them are decided.
 */
export function together(all: readonly (Decision | null)[]): Decision | null {
  const decided = all.flatMap((decision) => decision ?? []);
  const against = decided.filter(({ side }) => side === 'fails').map(({ p }) => p);
  if (against.length > 0) return { side: 'fails', p: Math.min(1, all.length * Math.min(...against)) };
  if (decided.length < all.length || all.length === 0) return null;
  return { side: 'holds', p: Math.max(...decided.map(({ p }) => p)) };
}

/** What a claim, or a comparison, came to. */
export interface ClaimVerdict {
  readonly word: Word;
  /** Null where nothing was tested. */
  readonly p: number | null;
}

/** The word of a decision by its p, which is corrected for other tests or not. */
export function verdictOf(decision: Decision | null, p = decision?.p ?? null): ClaimVerdict {
  if (decision === null || p === null) return { word: 'not told apart', p: null };
  return { word: p < LEVEL ? decision.side : 'not told apart', p };
}

/** The verdicts of a family of claims: p by Holm's method allows for all of them. */
export function verdictsOf(family: readonly (Decision | null)[]): ClaimVerdict[] {
  const corrected = holm(family.flatMap((decision) => decision?.p ?? []));
  let at = 0;
  return family.map((decision) => verdictOf(decision, decision === null ? null : corrected[at++]!));
}
