import { sizeOf } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import {
  type ModelLayer,
  type NamedLayer,
  operationsOf,
  partsOf,
  planned,
  throughLayers,
  type WeightPlan,
} from './layer.js';
import { type DenseLayer, initialized, type Model, type Weights, weight } from './model.js';

export interface LayeredOptions {
  /** In messages and reports; by default the kinds of its layers. */
  readonly name?: string;
  /** Shape of one sample: [height, width, channels] of an image, [width] of a vector. */
  readonly inputShape: readonly number[];
  /** From the input on; the last one is dense, the readout: all before it is the feature map Φ. */
  readonly layers: readonly ModelLayer[];
}

/**
 * A network out of layers, differentiated by TensorFlow.js: with σ of its dense and convolution layers, the regularizers, the
 * attacks, the Jacobian and, where every layer has a bound, the certificate as for the networks with gradients by hand.
 *
 * It takes float32 [n, ...inputShape], and gives features [n, width] and logits [n, classes] that belong to the caller.
 *
 * Layers are named by kind and counted, conv1, conv2, …, readout; weights 'conv1/kernel', 'conv1/bias', …. It takes more time a
 * step than `mlp` and `resnet`, whose gradients are by hand: see the benchmark `model-layers`.
 *
 * @throws {WeirError} for layers that do not fit together, by name; for a last layer that is not dense
 * @example model({ inputShape: [28, 28, 1], layers: [layers.conv(16), layers.relu(), layers.maxPool(), layers.dense(10)] })
 */
export function model(options: LayeredOptions): Model {
  checkOptions('model', options, { name: 'optional', inputShape: 'required', layers: 'required' });
  const { inputShape, layers } = options;
  if (!inputShape.every((size) => Number.isInteger(size) && size > 0)) {
    throw new WeirError(
      `a model of inputShape [${inputShape.join(', ')}] was asked for`,
      'give whole numbers from 1 on',
    );
  }
  const uncalled = layers.findIndex((layer: unknown) => typeof layer === 'function');
  if (uncalled !== -1) {
    throw new WeirError(`layer ${uncalled + 1} of a model is a function`, 'call it: relu(), not relu');
  }
  if (layers.at(-1)?.kind !== 'dense') {
    throw new WeirError(
      `the last layer of a model is its readout, but here it is ${layers.at(-1)?.kind ?? 'missing'}`,
      'end with dense(classes), without an activation: losses take logits',
    );
  }
  const plans = planned(layers, inputShape);
  const last = plans.pop()!;
  const classes = last.outputShape[0]!;
  const readout: DenseLayer = { kind: 'dense', name: 'readout', kernel: 'readout/kernel' };
  const all: readonly NamedLayer[] = [...plans, { ...last, name: readout.name }];
  const weights = all.flatMap((layer) => weightsOf(layer));
  const parts = partsOf(plans);
  const operations = operationsOf(plans);
  const bias = weights.some(({ name }) => name === 'readout/bias') ? { bias: 'readout/bias' } : {};
  const text = layers
    .slice(0, -1)
    .map(({ description }) => description)
    .join(', ');
  const name = options.name ?? `model ${layers.map(({ kind }) => kind).join('-')}`;

  const shaped = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [-1, ...inputShape]);
  const through = (weights: Weights, x: tf.Tensor, update?: (name: string, value: tf.Tensor) => void): tf.Tensor2D => {
    const of = <T extends tf.Tensor>(name: string): T => weight<T>(weights, name);
    const n = x.size / sizeOf(inputShape);
    return tf.reshape(throughLayers(plans, shaped(x), { weight: of, ...(update && { update }) }), [n, -1]);
  };
  const features = (weights: Weights, x: tf.Tensor): tf.Tensor2D => tf.tidy(() => through(weights, x));

  return {
    name,
    inputShape,
    classes,
    architecture: { architecture: 'layers', layers: text, inputShape: inputShape.join(' ') },
    featureLayers: plans.flatMap(({ linear = [] }) => linear),
    readout,
    ...(weights.some(({ statistic }) => statistic) && {
      statistics: weights.filter(({ statistic }) => statistic).map(({ name }) => name),
    }),
    ...(parts && { parts }),
    ...(operations && {
      operations: { features: operations, outputs: [{ kind: 'dense', kernel: readout.kernel, ...bias }] },
    }),
    start: (seed) => started(weights, seed),
    features,
    logits: (weights, x) =>
      tf.tidy(() => {
        const run = { weight: <T extends tf.Tensor>(part: string) => weight<T>(weights, `${readout.name}/${part}`) };
        return last.apply(features(weights, x), run) as tf.Tensor2D;
      }),
    training(weights, x) {
      const statistics = new Map<string, tf.Tensor>();
      const features = through(weights, x, (name, value) => statistics.set(name, value));
      return { features, ...(statistics.size > 0 && { statistics }) };
    },
  };
}

/** The weights of a layer and of those inside it, by their names in the model. */
const weightsOf = ({ name, weights = [], inside = [] }: NamedLayer): WeightPlan[] => [
  ...weights.map((plan) => ({ ...plan, name: `${name}/${plan.name}` })),
  ...inside.flatMap(weightsOf),
];

/** Fresh weights: a function of the seed alone. Kernels are counted, and a bias belongs to the kernel before it. */
function started(plans: readonly WeightPlan[], seed: number): Weights {
  const weights = new Map<string, tf.Tensor>();
  let layer = -1;
  for (const { name, shape, start, fanIn = 1 } of plans) {
    const part = name.endsWith('/bias') ? 1 : 0;
    if (typeof start !== 'number' && part === 0) layer++;
    const values =
      typeof start === 'number'
        ? new Float32Array(sizeOf(shape)).fill(start)
        : initialized(start, sizeOf(shape), { seed, layer, part, fanIn });
    weights.set(name, tf.tensor(values, [...shape]));
  }
  return weights;
}
