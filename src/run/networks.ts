import { WeirError } from '../flow/errors.js';
import { checkOptions } from '../flow/options.js';
import type { Network } from './pipeline.js';

export interface NetworkGrid<K extends string> {
  readonly regularizers: readonly K[];
  /** How many seeds, from `seed` on. */
  readonly seeds?: number;
  readonly seed: number;
  /** Epochs before the regularizers act: networks then branch off the unregularized one of their seed, where there is one. */
  readonly burnIn?: number;
  /** Epochs in all. */
  readonly epochs?: number;
}

/** A network for each seed and regularizer: 'rep-spectral', or with several seeds 'rep-spectral-s3'. */
export function eachRegularizer<K extends string>(options: NetworkGrid<K>): (Network & { readonly regularizer: K })[] {
  const {
    regularizers,
    seeds = 1,
    seed,
    burnIn = 0,
    epochs = Number.POSITIVE_INFINITY,
  } = checkOptions(
    'eachRegularizer',
    options,
    { regularizers: 'required', seeds: 'optional', seed: 'required', burnIn: 'optional', epochs: 'optional' },
    'ignored',
  );
  const twice = regularizers.find((kind, i) => regularizers.indexOf(kind) !== i);
  if (twice !== undefined) {
    throw new WeirError(
      `regularizers lists '${twice}' twice`,
      'list each once; `seeds` or another --seed gives more networks of each',
    );
  }
  const unregularized = regularizers.find((kind) => kind === 'none');
  const branching = burnIn > 0 && burnIn < epochs && unregularized !== undefined;
  const order = branching ? [unregularized, ...regularizers.filter((kind) => kind !== unregularized)] : regularizers;
  return Array.from({ length: seeds }, (_, i) => seed + i).flatMap((seed) => {
    const named = (regularizer: string): string => (seeds === 1 ? regularizer : `${regularizer}-s${seed}`);
    return order.map((regularizer) => ({
      name: named(regularizer),
      regularizer,
      seed,
      ...(branching && regularizer !== unregularized && { branch: { of: named(unregularized), epoch: burnIn } }),
    }));
  });
}
