import { WeirError } from '../../flow/errors.js';
import { checkNumbers, checkOptions } from '../../flow/options.js';
import type { tf } from '../../tensorflow/tf.js';
import { activations } from './activation.js';
import type { ModelLayer } from './layer.js';
import { elementwise, type Initialization, uniform } from './model.js';

/** The kinds of Weir's layers, by which a stored network is made anew: no layer of the user's own is called so. */
const ofWeir: readonly string[] = [
  ...['dense', 'conv', ...Object.keys(activations), 'maxPool', 'meanPool', 'globalMean'],
  ...['batchNorm', 'norm', 'residual', 'readout'],
  ...['lipschitzDense', 'lipschitzConv', 'maxMin'],
];

/** What a layer of one's own is; `Name` is the type of its weights' names. */
export interface OwnLayer<Name extends string = string> {
  /** Its kind, a word: layers of it are called name1, name2, …. */
  readonly name: string;
  /** Shapes by name; `linear` ones are matrices [in, out] whose σ is measured and regularized. */
  readonly weights?: Readonly<Record<Name, OwnWeight>>;
  /** x of [n, ...inputShape] to [n, ...outputShape], by operations that TensorFlow.js differentiates; weights by their names. */
  readonly apply: (x: tf.Tensor, weights: Readonly<Record<Name, tf.Tensor>>) => tf.Tensor;
  /** Shape of the output for one sample, where it is not that of the input. */
  readonly outputShape?: readonly number[];
  /** ‖m(a) − m(b)‖₂ ≤ lipschitz · ‖a − b‖₂ in every ℓp norm, whatever the weights; without it no bound of the network is known. */
  readonly lipschitz?: number;
}

export interface OwnWeight {
  readonly shape: readonly number[];
  /** By default PyTorch's, ±1/√(its first size); a number fills it. */
  readonly start?: Initialization | number;
  /** A matrix [in, out] that is multiplied with, whose spectral norm counts as that of a layer. */
  readonly linear?: boolean;
}

/**
 * A layer of your own: a function of tensors.
 *
 * @throws {WeirError} for a name that is one of Weir's layers, or no word
 * @example layers.own({ name: 'scale', weights: { factor: { shape: [8], start: 1 } }, apply: (x, { factor }) => tf.mul(x, factor) })
 */
export function own<Name extends string = never>(layer: OwnLayer<Name>): ModelLayer {
  checkOptions('layers.own', layer, {
    name: 'required',
    weights: 'optional',
    apply: 'required',
    outputShape: 'optional',
    lipschitz: 'optional',
  });
  if (!/^[A-Za-z]\w*$/.test(layer.name) || ofWeir.includes(layer.name)) {
    throw new WeirError(
      `layers.own was given name = ${JSON.stringify(layer.name)}`,
      `give letters and digits, and none of Weir's layers: ${ofWeir.join(', ')}`,
    );
  }
  if (layer.lipschitz !== undefined) checkNumbers(`layers.own '${layer.name}'`, { lipschitz: layer.lipschitz });
  const entries = Object.entries<OwnWeight>(layer.weights ?? {});
  const shapes = entries.map(([name, { shape }]) => `${name} ${shape.join('×')}`);
  return {
    kind: layer.name,
    description: [layer.name, ...shapes].join(' '),
    plan: (inputShape, name) => ({
      outputShape: layer.outputShape ?? inputShape,
      weights: entries.map(([name, { shape, start = uniform() }]) => ({ name, shape, start, fanIn: shape[0] ?? 1 })),
      apply: (x, { weight }) =>
        layer.apply(x, Object.fromEntries(entries.map(([name]) => [name, weight(name)])) as Record<Name, tf.Tensor>),
      linear: entries
        .filter(([, { linear }]) => linear)
        .map(([weight]) => ({ kind: 'dense', name: `${name}/${weight}`, kernel: `${name}/${weight}` })),
      ...(layer.lipschitz !== undefined && { parts: [elementwise(name, layer.lipschitz)] }),
    }),
  };
}
