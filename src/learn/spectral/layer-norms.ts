import type { Positioned } from '../../core/item.js';
import type { Stage } from '../../core/stage.js';
import type { tf } from '../device/tf.js';
import { type Model, weight } from '../model/model.js';
import type { Update } from '../update.js';
import { firstDirection, powerIterate } from './dense.js';

/** The spectral norm of every layer after an update. */
export interface LayerNorms extends Positioned {
  readonly number: number;
  readonly epoch: number;
  /** σ by name of the layer, the readout included. */
  readonly sigma: Readonly<Record<string, number>>;
}

/** v by name of the layer: where the next search starts. */
type Directions = { readonly [layer: string]: Float32Array };

/**
 * Measures σ of every layer of each update it is given, by power iteration from where it last ended until σ changes by less
 * than `tolerance`/10 of itself in a step. For curves and reports; it does not touch the penalty.
 *
 * State: v per layer. Bound: one update. Order: that of the updates. Failure: none of its own.
 *
 * @example updates$.pipe(every({ epochs: 1 }), stage(layerNorms(model)))
 */
export function layerNorms(
  model: Model,
  { tolerance = 1e-4, seed = 0 }: { tolerance?: number; seed?: number } = {},
): Stage<Update, LayerNorms, Directions> {
  const layers = [...model.featureLayers, model.readout];
  return {
    name: 'layer norms',
    claims: 'weights',
    start: () => ({}),
    next(directions, { position, number, epoch, weights }) {
      const found = layers.map(({ name, kernel }, i) => {
        const w = weight<tf.Tensor2D>(weights, kernel);
        const inputs = w.shape[0];
        const from = directions[name] ?? firstDirection(seed, i, inputs);
        return [name, powerIterate(w, from, { steps: 2 * inputs, sigma: tolerance / 10 })] as const;
      });
      const sigma = Object.fromEntries(found.map(([name, singular]) => [name, singular.sigma]));
      return [
        Object.fromEntries(found.map(([name, singular]) => [name, singular.v])),
        { position, number, epoch, sigma },
      ];
    },
  };
}
