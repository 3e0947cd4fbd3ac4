import { student, twoSided } from './student.js';

/** A difference of two means with its 95 % interval and t test; null where too few values came. */
export interface Difference {
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
export function pairedDifference(a: readonly number[], b: readonly number[]): Difference {
  const differences = a.map((value, i) => value - b[i]!);
  return interval(mean(differences), standardError(differences), differences.length - 1);
}

/** Mean of `a` less mean of `b`, with Welch's interval: the two need not share size or variance. */
export function welchDifference(a: readonly number[], b: readonly number[]): Difference {
  const [ea, eb] = [standardError(a), standardError(b)];
  if (ea === null || eb === null) return interval(mean(a) - mean(b), null, 0);
  const variance = ea ** 2 + eb ** 2;
  const freedom = variance ** 2 / (ea ** 4 / (a.length - 1) + eb ** 4 / (b.length - 1));
  return interval(mean(a) - mean(b), Math.sqrt(variance), variance === 0 ? a.length + b.length - 2 : freedom);
}

function interval(value: number, error: number | null, freedom: number): Difference {
  if (error === null) {
    return { value, lower: null, upper: null, standardError: null, t: null, freedom: null, p: null };
  }
  const reach = student(freedom) * error;
  // Equal differences leave nothing to test against: no t, rather than an infinite one.
  const t = error > 0 ? value / error : null;
  const p = t === null ? null : twoSided(t, freedom);
  return { value, lower: value - reach, upper: value + reach, standardError: error, t, freedom, p };
}
