import { WeirError } from '../core/errors.js';
import type { Network } from './pipeline.js';

export interface Grid<K extends string> {
  readonly regularisers: readonly K[];
  /** How many seeds, from `seed` on. */
  readonly seeds?: number;
  readonly seed: number;
  /** Epochs before the regularisers act: those of a seed then branch off its unregularised network, where it is among them. */
  readonly burnIn?: number;
  /** Epochs in all. */
  readonly epochs?: number;
}

/** A network for each seed and regulariser: 'rep-spectral', or with several seeds 'rep-spectral-s3'. */
export function eachRegulariser<K extends string>({
  regularisers,
  seeds = 1,
  seed,
  burnIn = 0,
  epochs = Number.POSITIVE_INFINITY,
}: Grid<K>): (Network & { readonly regulariser: K })[] {
  const twice = regularisers.find((kind, i) => regularisers.indexOf(kind) !== i);
  if (twice !== undefined) {
    throw new WeirError(
      `regularisers lists '${twice}' twice`,
      'list each once; networks of other seeds are made by `seeds`, or by another --seed',
    );
  }
  const unregularised = regularisers.find((kind) => kind === 'none');
  const branching = burnIn > 0 && burnIn < epochs && unregularised !== undefined;
  const order = branching ? [unregularised, ...regularisers.filter((kind) => kind !== unregularised)] : regularisers;
  return Array.from({ length: seeds }, (_, i) => seed + i).flatMap((seed) => {
    const named = (regulariser: string): string => (seeds === 1 ? regulariser : `${regulariser}-s${seed}`);
    return order.map((regulariser) => ({
      ...{ name: named(regulariser), regulariser, seed },
      ...(branching && regulariser !== unregularised && { branch: { of: named(unregularised), epoch: burnIn } }),
    }));
  });
}
