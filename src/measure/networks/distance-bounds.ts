import type { AttackedSample, DistanceBounds } from '../attack/attacked.js';
import type { NetworkReport } from './record.js';

/**
 * Both sides of Δx of every sample of a network that any attack was on: the smallest verified distance of all attacks, and the largest bound
 * that was proved beside them or by a certificate of the same weights.
 *
 * @example const open = distanceBounds(network).filter(({ lower, upper }) => lower === null || upper === null);
 */
export function distanceBounds({ attack, certificates = [] }: NetworkReport): DistanceBounds[] {
  if (attack === null) return [];
  const proved = new Map(
    certificates.filter(({ number }) => number === attack.number).map((one) => [one.index, one] as const),
  );
  return (attack.bounds ?? attack.samples.map(ofSample)).map((one) => {
    const certificate = proved.get(one.index);
    if (certificate === undefined || !(certificate.lower.l2 > (one.lower ?? Number.NEGATIVE_INFINITY))) return one;
    return { ...one, lower: certificate.lower.l2, method: certificate.method };
  });
}

const ofSample = ({ index, label, predicted, upper, distance, by, lower, method }: AttackedSample): DistanceBounds => ({
  index,
  label,
  predicted,
  upper: upper ?? distance,
  ...(by !== undefined && { by }),
  lower,
  ...(method !== undefined && { method }),
});

/** A proved bound above a verified distance: one of the two is wrong. */
export interface Contradiction extends DistanceBounds {
  readonly network: string;
  readonly run: string;
  readonly upper: number;
  readonly lower: number;
}

/**
 * The samples whose lower bound lies above their upper one. Within one stage that ends the run; of two stages, each of which did its work, the
 * log is whole, so the report is made and begins with them.
 */
export function contradictions(networks: readonly NetworkReport[]): Contradiction[] {
  return networks.flatMap((network) =>
    distanceBounds(network).flatMap((bounds): Contradiction[] => {
      const { upper, lower, label, predicted } = bounds;
      if (upper === null || lower === null || label !== predicted || !(lower > upper)) return [];
      return [{ ...bounds, network: network.name, run: network.run, upper, lower }];
    }),
  );
}

/** They in words, for the beginning of a verdict; '' where there are none. */
export function contradictionSentence(networks: readonly NetworkReport[]): string {
  const all = contradictions(networks);
  const [first] = all;
  if (first === undefined) return '';
  const by = first.by === undefined ? '' : ` (by ${first.by})`;
  return `Contradiction: ${all.length === 1 ? 'a sample has' : `${all.length} samples have`} a proved lower bound above a verified adversarial distance, which cannot be, so neither the bounds nor the distances of this report are to be trusted. The first is sample ${first.index} of ${first.network} in ${first.run}: lower bound ${first.lower} (by ${first.method ?? 'lipschitz'}), distance ${first.upper}${by}. See what \`weir doctor --vectors\` says of this machine.`;
}
