import cdf from '@stdlib/stats-base-dists-t-cdf';
import inverse from '@stdlib/stats-base-dists-t-quantile';

/** Two-sided p of Student's t: the chance of a value at least as far from zero, given the degrees of freedom (any positive number). */
export const twoSided = (t: number, freedom: number): number => 2 * cdf(-Math.abs(t), freedom);

/** One-sided p of the same: the chance of a value at least as great. */
export const oneSided = (t: number, freedom: number): number => cdf(-t, freedom);

/** The quantile of the same distribution at 97.5 %, so that ± it covers 95 %: an interval ends at zero where p is 0.05. */
export const student = (freedom: number): number => inverse(0.975, freedom);

/**
 * Holm's correction (1979) of the p of several tests, in their order: each the least level at which its test is still
 * significant while the chance of one false finding or more among all of them stays below that level.
 *
 * With p₍₁₎ ≤ … ≤ p₍ₘ₎: p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) p₍ⱼ₎). It assumes nothing of how the tests depend on each other.
 */
export function holm(all: readonly number[]): number[] {
  const order = all.map((_, i) => i).sort((i, j) => all[i]! - all[j]!);
  const corrected = [...all];
  let most = 0;
  order.forEach((i, rank) => {
    most = Math.max(most, Math.min(1, (all.length - rank) * all[i]!));
    corrected[i] = most;
  });
  return corrected;
}

/** A difference of two means with its 95 % interval and t test; null where too few values came. */
export interface MeanDifference {
  readonly value: number;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly standardError: number | null;
  /** Student's t of no difference, its degrees of freedom and two-sided p. */
  readonly t: number | null;
  readonly freedom: number | null;
  readonly p: number | null;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation (n - 1 below); null for fewer than two values. */
export function standardDeviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/** Standard error of the mean; null for fewer than two values. */
export function standardError(values: readonly number[]): number | null {
  const spread = standardDeviation(values);
  return spread === null ? null : spread / Math.sqrt(values.length);
}

/** Quantile `p` in [0, 1] by linear interpolation between order statistics; null for no values. */
export function quantile(values: readonly number[], p: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below]!;
  return low + (at - below) * ((sorted[below + 1] ?? low) - low);
}

/** Mean of `a[i] - b[i]`, which belong together, with Student's interval on the differences. */
export function pairedDifference(a: readonly number[], b: readonly number[]): MeanDifference {
  const differences = a.map((value, i) => value - b[i]!);
  return interval(mean(differences), standardError(differences), differences.length - 1);
}

/** Mean of `a` less mean of `b`, with Welch's interval: the two need not share size or variance. */
export function welchDifference(a: readonly number[], b: readonly number[]): MeanDifference {
  const [ea, eb] = [standardError(a), standardError(b)];
  if (ea === null || eb === null) return interval(mean(a) - mean(b), null, 0);
  const variance = ea ** 2 + eb ** 2;
  const freedom = variance ** 2 / (ea ** 4 / (a.length - 1) + eb ** 4 / (b.length - 1));
  return interval(mean(a) - mean(b), Math.sqrt(variance), variance === 0 ? a.length + b.length - 2 : freedom);
}

function interval(value: number, error: number | null, freedom: number): MeanDifference {
  if (error === null) {
    return { value, lower: null, upper: null, standardError: null, t: null, freedom: null, p: null };
  }
  const reach = student(freedom) * error;
  // Equal differences leave nothing to test against: no t, rather than an infinite one.
  const t = error > 0 ? value / error : null;
  const p = t === null ? null : twoSided(t, freedom);
  return { value, lower: value - reach, upper: value + reach, standardError: error, t, freedom, p };
}

/** The bandwidth of a Gaussian kernel by Silverman's rule, 0.9 · min(std, IQR / 1.34) · n^(−1/5); null for fewer than three values, or equal ones. */
function bandwidth(values: readonly number[]): number | null {
  if (values.length < 3) return null;
  const std = standardDeviation(values)!;
  const quartiles = (quantile(values, 0.75)! - quantile(values, 0.25)!) / 1.34;
  const width = 0.9 * (quartiles > 0 ? Math.min(std, quartiles) : std) * values.length ** -0.2;
  return width > 0 ? width : null;
}

const BEYOND = 3.5; // bandwidths: a kernel has fallen to 0.2 % of its peak there, and with it the density of its own

/** Where a density has fallen to a small share of its peak, above the greatest value; null where there is no density. */
export function densityEnd(values: readonly number[]): number | null {
  const width = bandwidth(values);
  return width === null ? null : Math.max(...values) + BEYOND * width;
}

/**
 * Gaussian kernel density of values that cannot be negative, on an even grid from 0 to `to`, bandwidth by Silverman's rule. The part
 * below zero is folded back, so that the area is one. Null for fewer than three values, or values that are all the same.
 */
export function density(values: readonly number[], to: number, steps = 160): { x: number; y: number }[] | null {
  const width = bandwidth(values);
  if (width === null) return null;
  const scale = 1 / (values.length * width * Math.sqrt(2 * Math.PI));
  return Array.from({ length: steps + 1 }, (_, i) => {
    const x = (to * i) / steps;
    let sum = 0;
    for (const value of values) {
      sum += Math.exp(-0.5 * ((x - value) / width) ** 2) + Math.exp(-0.5 * ((x + value) / width) ** 2);
    }
    return { x, y: scale * sum };
  });
}

const z = 1.959963984540054; // of a normal distribution, 95 % between −z and z, to the last digit of a float64

/**
 * Wilson's 95 % interval for a proportion p found in n trials: (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n).
 *
 * Unlike p ± its standard error it stays within 0 and 1, and is honest at p = 0 and p = 1.
 */
export function wilson(p: number, n: number): { readonly lower: number; readonly upper: number } {
  const square = z ** 2 / n;
  const center = p + square / 2;
  const reach = z * Math.sqrt((p * (1 - p)) / n + square / (4 * n));
  return { lower: Math.max(0, (center - reach) / (1 + square)), upper: Math.min(1, (center + reach) / (1 + square)) };
}
