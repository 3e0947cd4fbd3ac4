import type { Data } from '../../flow/core-data.js';
import type { Stage } from '../../flow/core-stage.js';
import type { Ensemble } from './ensemble-ensemble.js';
import type { Directions, EnsembleRegularizer } from './penalty.js';
import type { EnsembleUpdate } from './update.js';

/**
 * One power iteration for every penalized layer of every member, on the weights of each update it is given.
 *
 * What `spectralTick` is for one network: it sleeps until the last epoch of the burn-in, and hands what it found to the penalty.
 *
 * State: `Directions`. Bound: one update. Order: that of the updates. Failure: none of its own.
 *
 * @example updates$.pipe(every({ updates: 1 }), ensembleTick(networks, penalty))
 */
export function ensembleTick(
  { rows }: Ensemble,
  penalty: EnsembleRegularizer,
): Stage<EnsembleUpdate, EnsembleUpdate & { readonly directions: Directions }, Directions | null> {
  penalty.ticked = true;
  const hand = (directions: Directions | null): Directions | null => {
    penalty.newest = directions ?? undefined;
    return directions;
  };
  return {
    name: 'spectral tick',
    claims: 'weights',
    start: () => hand(null),
    next(_, update) {
      if (!penalty.active(update.epoch + 1)) return [null]; // far from the end of the burn-in
      const before = penalty.newest; // the training step begins them itself where the burn-in ended between two ticks
      const now = rows(update.weights);
      const directions = before === undefined ? penalty.begin(now) : penalty.iterate(before, now);
      return [hand(directions), { ...update, directions }];
    },
    save: (directions) => (directions ?? penalty.newest ?? null) as unknown as Data,
    load: (data) => hand(data as unknown as Directions | null),
  };
}
