import { quantile, standardDeviation } from './report-statistics.js';

/**
 * Gaussian kernel density of values that cannot be negative, on an even grid from 0 to beyond the greatest.
 *
 * Bandwidth by Silverman's rule, 0.9 · min(std, IQR / 1.34) · n^(−1/5). What would lie below zero is folded back, so that
 * the area is one. Null for fewer than three values, or values that are all the same.
 */
export function density(values: readonly number[], to: number, steps = 160): { x: number; y: number }[] | null {
  if (values.length < 3) return null;
  const std = standardDeviation(values)!;
  const quartiles = (quantile(values, 0.75)! - quantile(values, 0.25)!) / 1.34;
  const width = 0.9 * (quartiles > 0 ? Math.min(std, quartiles) : std) * values.length ** -0.2;
  if (!(width > 0)) return null;
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
