import type { Positioned } from '../../core/item.js';
import type { Stage } from '../../core/stage.js';
import type { tf } from '../device/tf.js';
import type { ConvLayer, DenseLayer } from '../model/layer.js';
import { type Model, type Weights, weight } from '../model/model.js';
import type { Update } from '../update.js';
import { firstDirection, powerIterate } from './dense.js';
import { exactSigma } from './exact.js';

/** The spectral norm of every layer after an update. */
export interface LayerNorms extends Positioned {
  readonly number: number;
  readonly epoch: number;
  /** σ by name of the layer, the readout included. */
  readonly sigma: Readonly<Record<string, number>>;
  /** How far above σ the true value may lie, for convolutions: those are exact (see `exactSigma`). */
  readonly bounds?: Readonly<Record<string, number>>;
  /** Convolutions that the model pads with zeros: σ is that of the circular one, an estimate of theirs. */
  readonly estimates?: readonly string[];
}

/** By name of the layer where the next search starts: v of a dense layer, the frequency of a convolution. */
type Directions = { readonly [layer: string]: Float32Array };

/**
 * Measures σ of every layer of each update it is given: of dense layers by power iteration from where it last ended until σ changes
 * by less than `tolerance`/10 of itself in a step, of convolutions exactly, with a bound. For curves and reports; it does not touch
 * the penalty.
 *
 * State: v per layer, or the frequency. Bound: one update. Order: that of the updates. Failure: none of its own.
 *
 * @example updates$.pipe(every({ epochs: 1 }), stage(layerNorms(model)))
 */
export function layerNorms(
  model: Model,
  { tolerance = 1e-4, seed = 0 }: { tolerance?: number; seed?: number } = {},
): Stage<Update, LayerNorms, Directions> {
  const layers = [...model.featureLayers, model.readout];
  const estimates = layers.flatMap((layer) => (layer.kind === 'conv' && layer.padding === 'zero' ? [layer.name] : []));
  return {
    name: 'layer norms',
    claims: 'weights',
    start: () => ({}),
    next(directions, { position, number, epoch, weights }) {
      const found = layers.map((layer, i) =>
        layer.kind === 'conv'
          ? exact(layer, weights, directions[layer.name])
          : iterated(layer, weights, directions[layer.name], { seed, index: i, tolerance }),
      );
      const byName = <T>(of: (one: Found) => T | undefined): Record<string, T> =>
        Object.fromEntries(
          found.flatMap((one, i) => {
            const value = of(one);
            return value === undefined ? [] : [[layers[i]!.name, value] as const];
          }),
        );
      const bounds = byName(({ bound }) => bound);
      return [
        byName(({ next }) => next),
        {
          ...{ position, number, epoch, sigma: byName(({ sigma }) => sigma) },
          ...(Object.keys(bounds).length > 0 && { bounds }),
          ...(estimates.length > 0 && { estimates }),
        },
      ];
    },
  };
}

interface Found {
  readonly sigma: number;
  readonly bound?: number;
  readonly next: Float32Array;
}

function exact(layer: ConvLayer, weights: Weights, from: Float32Array | undefined): Found {
  const [height, width] = layer.inputSize;
  const kernel = weight<tf.Tensor4D>(weights, layer.kernel);
  const { sigma, bound, wave } = exactSigma(
    kernel,
    { height, width, stride: layer.stride },
    { from: from?.[0] ?? 0, layer: layer.name },
  );
  return { sigma, bound, next: Float32Array.of(wave?.frequency ?? 0) };
}

function iterated(
  { kernel }: DenseLayer,
  weights: Weights,
  from: Float32Array | undefined,
  { seed, index, tolerance }: { readonly seed: number; readonly index: number; readonly tolerance: number },
): Found {
  const w = weight<tf.Tensor2D>(weights, kernel);
  const inputs = w.shape[0];
  const start = from ?? firstDirection(seed, index, inputs);
  const { sigma, v } = powerIterate(w, start, { steps: 2 * inputs, sigma: tolerance / 10 });
  return { sigma, next: v };
}
