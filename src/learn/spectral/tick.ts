import type { Data } from '../../flow/data.js';
import { type StageOperator, stage } from '../../flow/stage.js';
import { quantities, record } from '../../storage/record.js';
import type { Regularizer } from '../regularizer/regularizer.js';
import { isSpectral } from '../regularizer/spectral.js';
import type { Update } from '../update.js';
import type { Spectrum } from './power.js';

/** An update with σ and the singular vectors of each layer, as its tick found them. */
type TickedUpdate = Update & { readonly spectrum: Spectrum };

/** The record of a tick: the update that it worked on, and σ of each regularized layer where it is reported by member. */
export const tickRecord = record({
  name: 'spectral tick',
  role: 'spectrum',
  fields: { sigma: quantities({ label: 'σ', scale: 'log', better: 'lower' }).optional() },
});

/**
 * Refreshes the directions of a spectral regularizer on the weights of each update it is given: one power iteration a layer
 * (paper, appendix C, N = 1), or the search that `directions` names.
 *
 *   updates                  0--1--2--3--|
 *   every 2, spectralTick    A-----B-----|    A, B: successive estimates
 *
 * It emits nothing before the last epoch of the burn-in, where its first tick finds the directions from a random start. With any
 * other regularizer it never emits, and is a stage of the graph all the same: so networks of any regularizer are one graph, and
 * can branch from one snapshot.
 *
 * State: the `Spectrum` (σ, u, v per layer). The regularizer reads the newest one at the next update: the one edge back.
 * Bound: one update. Order: that of the updates. Failure: a kernel that is not finite, by the name of its layer.
 *
 * @example updates$.pipe(every({ updates: 1 }), spectralTick(regularizer))
 */
export function spectralTick(regularizer: Regularizer): StageOperator<Update, TickedUpdate, Spectrum | null> {
  const name = 'spectral tick';
  if (!isSpectral(regularizer)) {
    return stage<Update, TickedUpdate, Spectrum | null>({
      name,
      record: tickRecord,
      start: () => null,
      next: () => [null],
      save: () => null,
      load: () => null,
    });
  }
  regularizer.ticked = true;
  const hand = (spectrum: Spectrum | null): Spectrum | null => {
    regularizer.newest = spectrum ?? undefined;
    return spectrum;
  };
  return stage({
    name,
    record: tickRecord,
    claims: 'weights',
    start: () => hand(null),
    next(_, update) {
      if (!regularizer.active(update.epoch + 1)) return [null]; // before the last epoch of the burn-in
      const before = regularizer.newest; // from the training step, where the burn-in ended between two ticks
      const spectrum =
        before === undefined ? regularizer.begin(update.weights) : regularizer.iterate(before, update.weights);
      return [hand(spectrum), { ...update, spectrum }];
    },
    save: (spectrum) => (spectrum ?? regularizer.newest ?? null) as Data,
    load: (data) => hand(data as Spectrum | null),
  });
}
