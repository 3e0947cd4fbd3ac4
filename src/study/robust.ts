import { mean, quantile } from '../plot/statistics.js';
import { folded, name, number, percent, table } from '../plot/table.js';
import type { StudyNetwork } from './comparison.js';
import { distancesOf } from './distances.js';
import { type Claim, sidesOf } from './study.js';

const SHARES = [0.1, 0.25, 0.5, 0.75]; // of all distances: the radii that robust accuracies are taken at

/**
 * Robust accuracy of each method of a claim over radii ε, folded away: the part of test images that are classified correctly and whose
 * nearest known adversarial point is beyond ε, and the part whose proved lower bound is. The truth lies between. '' without distances.
 *
 * A network's share among its attacked correct images is taken times its test accuracy.
 */
export function robustTable(all: readonly StudyNetwork[], claim: Claim): string {
  const isOnDistances = claim.analyses.some((one) => 'measure' in one && one.measure.includes('Δx'));
  if (!isOnDistances) return '';
  const readout = claim.analyses.some((one) => 'measure' in one && one.measure.includes('refitted'))
    ? 'refitted'
    : 'own';
  const sides = [...new Map(sidesOf(claim).map((side) => [JSON.stringify(side), side])).values()];
  const groups = sides.flatMap((side) => {
    const networks = all
      .filter(({ experiment, setting }) => experiment === side.experiment && setting === (side.setting ?? ''))
      .map(({ network }) => network)
      .filter(({ regularizer }) => regularizer === side.method);
    const known = networks.flatMap((network) => {
      const accuracy = readout === 'own' ? network.testAccuracy : (network.readout?.accuracy ?? null);
      const of = (by: 'tight' | 'proved'): number[] => [
        ...distancesOf(network, { by, over: 'own' }, [], readout).values(),
      ];
      const upper = of('tight');
      return accuracy === null || upper.length === 0 ? [] : [{ accuracy, upper, lower: of('proved') }];
    });
    return known.length === 0 ? [] : [{ side, known }];
  });
  const pooled = groups.flatMap(({ known }) => known.flatMap(({ upper }) => upper));
  if (pooled.length === 0) return '';
  const radii = SHARES.map((share) => quantile(pooled, share)!);
  const rows = groups.map(({ side, known }) => [
    name([side.setting, side.method].filter(Boolean).join(', '), side.method),
    percent(mean(known.map(({ accuracy }) => accuracy))),
    ...radii.map((radius) => {
      const beyond = (values: readonly number[]): number => values.filter((one) => one > radius).length / values.length;
      const attacked = mean(known.map(({ accuracy, upper }) => accuracy * beyond(upper)));
      const proved = known.filter(({ lower }) => lower.length > 0);
      const certified = mean(proved.map(({ accuracy, lower }) => accuracy * beyond(lower)));
      return `${percent(attacked)}${proved.length > 0 ? ` / ${percent(certified)}` : ''}`;
    }),
  ]);
  const heads = ['Method', 'Accuracy', ...radii.map((radius) => `ε = ${number(radius)}`)];
  const title =
    'Mean over seeds: no known adversarial point within ε / proved to have none. The radii are percentiles of all distances.';
  return folded('Robust accuracy over ε', table(title, heads, rows));
}
