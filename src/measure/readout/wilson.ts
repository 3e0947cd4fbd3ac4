/** An interval of a proportion. Plain data. */
export type Interval = { readonly lower: number; readonly upper: number };

const z = 1.959963984540054; // of a normal distribution, 95 % between −z and z, to the last digit of a float64

/**
 * Wilson's 95 % interval for a proportion p found in n trials: (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n).
 *
 * Unlike p ± its standard error it stays within 0 and 1, and is honest at p = 0 and p = 1.
 */
export function wilson(p: number, n: number): Interval {
  const square = z ** 2 / n;
  const center = p + square / 2;
  const reach = z * Math.sqrt((p * (1 - p)) / n + square / (4 * n));
  return { lower: Math.max(0, (center - reach) / (1 + square)), upper: Math.min(1, (center + reach) / (1 + square)) };
}
