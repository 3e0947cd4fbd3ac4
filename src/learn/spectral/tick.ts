import type { Data } from '../../flow/data.js';
import type { Stage } from '../../flow/stage.js';
import { record } from '../../storage/record.js';
import type { SpectralRegularizer } from '../regularizer/spectral.js';
import type { Update } from '../update.js';
import type { Spectrum } from './power.js';

/** A tick finds σ of the penalized layers; what is logged of it is the update that it worked on. */
export const tickRecord = record({ name: 'spectral tick', role: 'spectrum', fields: {} });

/**
 * One power iteration on the weights of each update it is given (paper, appendix C, N = 1).
 *
 *   updates                  0--1--2--3--|
 *   every 2, spectralTick    A-----B-----|    A, B: successive estimates
 *
 * It sleeps until the last epoch of the burn-in, where its first tick finds the directions from a random start.
 *
 * State: the `Spectrum` (σ, u, v per layer). The regularizer reads the newest one at the next update: the one edge back.
 * Bound: one update. Order: that of the updates. Failure: none of its own.
 *
 * @example updates$.pipe(every({ updates: 1 }), stage(spectralTick(regularizer)))
 */
export function spectralTick(
  regularizer: SpectralRegularizer,
): Stage<Update, Update & { readonly spectrum: Spectrum }, Spectrum | null> {
  regularizer.ticked = true;
  const hand = (spectrum: Spectrum | null): Spectrum | null => {
    regularizer.newest = spectrum ?? undefined;
    return spectrum;
  };
  return {
    name: 'spectral tick',
    record: tickRecord,
    claims: 'weights',
    start: () => hand(null),
    next(_, update) {
      if (!regularizer.active(update.epoch + 1)) return [null]; // far from the end of the burn-in
      const before = regularizer.newest; // the training step begins them itself where the burn-in ended between two ticks
      const spectrum =
        before === undefined ? regularizer.begin(update.weights) : regularizer.iterate(before, update.weights);
      return [hand(spectrum), { ...update, spectrum }];
    },
    save: (spectrum) => (spectrum ?? regularizer.newest ?? null) as Data,
    load: (data) => hand(data as Spectrum | null),
  };
}
