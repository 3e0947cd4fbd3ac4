import type { Positioned } from '../../flow/data.js';
import { type StageOperator, stage } from '../../flow/stage.js';
import { quantities, record, z } from '../../storage/record.js';
import type { tf } from '../../tensorflow/tf.js';
import { type Layer, type Model, type Weights, weight } from '../model/model.js';
import type { Update } from '../update.js';
import { type ExactSigma, exactDense, exactSigma } from './exact.js';

/** The spectral norm of every layer after an update. */
export interface LayerNorms extends Positioned {
  readonly number: number;
  readonly epoch: number;
  /** σ by name of the layer, the readout included. */
  readonly sigma: Readonly<Record<string, number>>;
  /** How far above σ the true value may lie: see `exactSigma`. */
  readonly bounds: Readonly<Record<string, number>>;
  /** Names of the convolutions that the model pads with zeros: for them σ, that of the circular one, is an estimate. */
  readonly estimates?: readonly string[];
}

/** What is logged of the spectral norms. */
export const layerNormsRecord = record({
  name: 'layer norms',
  role: 'spectrum',
  fields: {
    sigma: quantities({ label: 'σ', scale: 'log', better: 'lower', headline: true }),
    bounds: z.record(z.string(), z.number()).optional(),
    estimates: z.array(z.string()).optional(),
  },
});

/** By name of a convolution the frequency where the next search starts. */
type Frequencies = { readonly [layer: string]: Float32Array };

/**
 * σ of every layer at each update it is given, exact within a bound: for curves and reports. The regularizer has its own, by ticks.
 *
 * Power iteration is not exact enough for that: where σ₁ and σ₂ are close it moves little, and a small step looks like convergence.
 *
 * State: the frequency at which σ of each convolution was found. Bound: one update. Order: that of the updates. Failure: a kernel
 * that is not finite, by the name of its layer.
 *
 * @example updates$.pipe(every({ epochs: 1 }), layerNorms(model))
 */
export function layerNorms(model: Model): StageOperator<Update, LayerNorms, Frequencies> {
  const layers = [...model.featureLayers, model.readout];
  const estimates = layers.flatMap((layer) => (layer.kind === 'conv' && layer.padding === 'zero' ? [layer.name] : []));
  return stage<Update, LayerNorms, Frequencies>({
    name: 'layer norms',
    record: layerNormsRecord,
    claims: 'weights',
    start: () => ({}),
    next(from, { position, number, epoch, weights }) {
      const found = layers.map((layer) => ({ layer, ...exact(layer, weights, from[layer.name]?.[0]) }));
      const byName = (of: (one: ExactSigma) => number): Record<string, number> =>
        Object.fromEntries(found.map((one) => [one.layer.name, of(one)]));
      const frequencies = found.flatMap(({ layer, wave }) =>
        layer.kind === 'conv' ? [[layer.name, Float32Array.of(wave?.frequency ?? 0)] as const] : [],
      );
      return [
        Object.fromEntries(frequencies),
        {
          position,
          number,
          epoch,
          sigma: byName(({ sigma }) => sigma),
          bounds: byName(({ bound }) => bound),
          ...(estimates.length > 0 && { estimates }),
        },
      ];
    },
  });
}

function exact(layer: Layer, weights: Weights, from = 0): ExactSigma {
  if (layer.kind !== 'conv') return exactDense(weight<tf.Tensor2D>(weights, layer.kernel), { layer: layer.name });
  const [height, width] = layer.inputSize;
  const grid = { height, width, stride: layer.stride };
  return exactSigma(weight<tf.Tensor4D>(weights, layer.kernel), grid, { from, layer: layer.name });
}
