import cdf from '@stdlib/stats-base-dists-t-cdf';
import inverse from '@stdlib/stats-base-dists-t-quantile';

/** Two-sided p of Student's t: the chance of a value at least as far from zero, given the degrees of freedom (any positive number). */
export const twoSided = (t: number, freedom: number): number => 2 * cdf(-Math.abs(t), freedom);

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
