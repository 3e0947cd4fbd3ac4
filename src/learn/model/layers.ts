/**
 * The layers that `model` puts one behind another: `layers.conv(16)`, `layers.relu()`, …. None has a gradient by hand.
 *
 * Maps are [n, height, width, channels], vectors [n, width]. Weights begin as in PyTorch, unless an initialization is given.
 *
 * @module
 */

import { WeirError } from '../../flow/errors.js';
import { checkCounts, checkOptions } from '../../flow/options.js';
import { EPSILON, movedRunning } from '../../tensorflow/ops/batch-norm.js';
import { convolved, rectified, windowMaxima, windowMeans } from '../../tensorflow/ops/differentiable.js';
import { tf } from '../../tensorflow/tf.js';
import { type ActivationName, activationNamed } from './activation.js';
import { type ModelLayer, operationsOf, partsOf, planned, throughLayers, type WeightPlan } from './layer.js';
import { constrained } from './lipschitz-layers.js';
import {
  activated,
  elementwise,
  type Initialization,
  type Layer,
  meanOver,
  type Padding,
  type Part,
  uniform,
} from './model.js';

export { type OwnLayer, type OwnWeight, own } from './own-layer.js';

/** @throws {WeirError} unless inputs are maps */
function mapShape(name: string, shape: readonly number[]): readonly [height: number, width: number, channels: number] {
  if (shape.length === 3) return shape as [number, number, number];
  throw new WeirError(
    `layer '${name}' takes images [height, width, channels], but its inputs are [${shape.join(', ')}]`,
    'put it before the dense layers, and give the model the inputShape of images',
  );
}

const weighted = (name: string, start: Initialization, shape: readonly number[], fanIn: number): WeightPlan => ({
  name,
  shape,
  start,
  fanIn,
});

export interface DenseOptions {
  readonly bias?: boolean;
  readonly initialization?: Initialization;
}

/**
 * y = xW + b, [n, units]; an input that is no vector is made one.
 *
 * @example layers.dense(64, { bias: false })
 */
export function dense(units: number, options: DenseOptions = {}): ModelLayer {
  checkOptions('layers.dense', options, { bias: 'optional', initialization: 'optional' });
  checkCounts('layers.dense', { units });
  const { bias = true, initialization = uniform() } = options;
  return {
    kind: 'dense',
    description: `dense ${units}${bias ? '' : ' without bias'}`,
    plan(inputShape, name) {
      const inputs = inputShape.reduce((product, size) => product * size, 1);
      const layer: Layer = { kind: 'dense', name, kernel: `${name}/kernel` };
      return {
        outputShape: [units],
        weights: [
          weighted('kernel', initialization, [inputs, units], inputs),
          ...(bias ? [weighted('bias', initialization, [units], inputs)] : []),
        ],
        apply(x, { weight }) {
          const product: tf.Tensor2D = tf.matMul(tf.reshape(x, [-1, inputs]), weight<tf.Tensor2D>('kernel'));
          return bias ? tf.add(product, weight('bias')) : product;
        },
        linear: [layer],
        parts: [layer],
        operations: [{ kind: 'dense', kernel: layer.kernel, ...(bias && { bias: `${name}/bias` }) }],
      };
    },
  };
}

export interface ConvOptions extends DenseOptions {
  /** Of the kernel, odd. */
  readonly size?: number;
  readonly stride?: number;
  /** The values beyond the edge of an image: opposite pixels as in the paper's networks, or zeros. */
  readonly padding?: Padding;
}

/**
 * A convolution, [n, ⌈height/stride⌉, ⌈width/stride⌉, filters]; half the kernel is padded on each side, as in PyTorch. Its σ is
 * that of the circular convolution; with 'zero' an estimate. Needs the native runtime.
 *
 * @example layers.conv(32, { size: 3, stride: 2, padding: 'zero' })
 */
export function conv(filters: number, options: ConvOptions = {}): ModelLayer {
  checkOptions('layers.conv', options, {
    size: 'optional',
    stride: 'optional',
    padding: 'optional',
    bias: 'optional',
    initialization: 'optional',
  });
  const { size = 3, stride = 1, padding = 'circular', bias = true, initialization = uniform() } = options;
  checkCounts('layers.conv', { filters, size, stride });
  if (size % 2 === 0) throw new WeirError(`layers.conv was given size = ${size}`, 'give an odd one, such as 3');
  if (padding !== 'circular' && padding !== 'zero') {
    throw new WeirError(`layers.conv was given padding = ${JSON.stringify(padding)}`, "give 'circular' or 'zero'");
  }
  const details = [`conv ${filters} ${size}×${size}`, `stride ${stride}`, padding, ...(bias ? [] : ['without bias'])];
  return {
    kind: 'conv',
    description: details.join(' '),
    plan(inputShape, name) {
      const [height, width, channels] = mapShape(name, inputShape);
      const geometry = { height, width, in: channels, out: filters, size, stride, padding };
      const fanIn = size * size * channels;
      const layer: Layer = {
        kind: 'conv',
        name,
        kernel: `${name}/kernel`,
        stride,
        inputSize: [height, width],
        padding,
      };
      return {
        outputShape: [Math.ceil(height / stride), Math.ceil(width / stride), filters],
        weights: [
          weighted('kernel', initialization, [size, size, channels, filters], fanIn),
          ...(bias ? [weighted('bias', initialization, [filters], fanIn)] : []),
        ],
        apply(x, { weight }) {
          const y = convolved(x, weight('kernel'), geometry);
          return bias ? tf.add(y, weight('bias')) : y;
        },
        linear: [layer],
        parts: [layer],
        operations: [
          { kind: 'conv', kernel: layer.kernel, ...(bias && { bias: `${name}/bias` }), size, stride, padding },
        ],
      };
    },
  };
}

/** max(a, b) and min(a, b) of each pair of channels, the first half with the second: 1-Lipschitz, and it keeps the norm (Anil et al. 2019). */
export const maxMin = (): ModelLayer => ({
  kind: 'maxMin',
  description: 'maxMin',
  plan(inputShape, name) {
    const axis = inputShape.length;
    if (inputShape.at(-1)! % 2 !== 0) {
      throw new WeirError(
        `layer '${name}' pairs channels, but its inputs are [${inputShape.join(', ')}]`,
        'give the layer before it an even number of units or filters',
      );
    }
    return {
      outputShape: inputShape,
      apply(x) {
        const [a, b] = tf.split(x, 2, axis) as [tf.Tensor, tf.Tensor];
        const open = rectified(tf.sub(a, b)); // max(a, b) = b + (a − b)⁺, min(a, b) = a − (a − b)⁺
        return tf.concat([tf.add(b, open), tf.sub(a, open)], axis);
      },
      parts: [elementwise('maxMin', 1)],
    };
  },
});

/**
 * A dense layer with ‖W‖₂ ≤ 1 whatever its weights are (almost-orthogonal layers, Prach and Lampert 2022).
 *
 * Behind such layers, and others of slope 1, L of the feature map is 1 in ℓ2: the certificate of Lemma 1 is margin / ‖w_c − w_k‖ of the
 * readout, which is at least margin / (√2 · L) for a readout of norm 1.
 *
 * @example layers.lipschitzDense(64)
 */
export const lipschitzDense = (units: number, options: DenseOptions = {}): ModelLayer =>
  constrained(dense(units, options), 'lipschitzDense', () => 1);

/**
 * A convolution with ‖W‖₂ ≤ 1 for every size of image, whatever its weights are. Needs the native runtime.
 *
 * @example layers.lipschitzConv(32, { size: 3, stride: 2 })
 */
export function lipschitzConv(filters: number, options: ConvOptions = {}): ModelLayer {
  const { stride = 1, padding = 'circular' } = options;
  // around a circle that the stride does not divide, the last output and the first are shifted by any number of positions
  const stepOf = (shape: readonly number[]): number =>
    padding === 'zero' || shape.slice(0, 2).every((extent) => extent % stride === 0) ? stride : 1;
  return constrained(conv(filters, options), 'lipschitzConv', stepOf);
}

/** φ applied to each value. */
function activation(name: ActivationName): ModelLayer {
  const phi = activationNamed(name);
  const apply = name === 'relu' ? rectified : (x: tf.Tensor) => phi.value(x as tf.Tensor2D);
  return {
    kind: name,
    description: name,
    plan: (inputShape) => ({
      outputShape: inputShape,
      apply,
      parts: [activated({ name, lipschitz: phi.lipschitz })],
      operations: [{ kind: 'activation', name }],
    }),
  };
}

export const relu = (): ModelLayer => activation('relu');
/** By erf, not its tanh approximation. */
export const gelu = (): ModelLayer => activation('gelu');
export const tanh = (): ModelLayer => activation('tanh');
export const sigmoid = (): ModelLayer => activation('sigmoid');

/** Windows of size × size that do not overlap; rows and columns that fill none are left out, as in PyTorch. */
function pool(kind: 'maxPool' | 'meanPool', size: number): ModelLayer {
  checkCounts(`layers.${kind}`, { size });
  const windows = kind === 'maxPool' ? windowMaxima : windowMeans;
  return {
    kind,
    description: `${kind} ${size}`,
    plan(inputShape, name) {
      const [height, width, channels] = mapShape(name, inputShape);
      const outputShape = [Math.floor(height / size), Math.floor(width / size), channels];
      if (outputShape.includes(0)) {
        throw new WeirError(
          `layer '${name}' has windows of ${size} × ${size}, but its inputs are ${height} × ${width}`,
          'take smaller windows or larger images',
        );
      }
      // each value is in one window, so that the bound of one window is that of all
      const parts = kind === 'maxPool' ? [elementwise(kind, 1)] : [meanOver(size * size)];
      return {
        outputShape,
        apply: (x) => windows(x as tf.Tensor4D, size),
        parts,
        operations: [{ kind, size, stride: size, edge: 0 }],
      };
    },
  };
}

/** The largest value of each window of size × size, at a stride of size. */
export const maxPool = (size = 2): ModelLayer => pool('maxPool', size);

/** The mean of each window of size × size, at a stride of size. */
export const meanPool = (size = 2): ModelLayer => pool('meanPool', size);

/** The mean over all positions of a map, [n, channels]. */
export const globalMean = (): ModelLayer => ({
  kind: 'globalMean',
  description: 'globalMean',
  plan(inputShape, name) {
    const [height, width, channels] = mapShape(name, inputShape);
    return {
      outputShape: [channels],
      apply: (x) => tf.mean(x, [1, 2]),
      parts: [meanOver(height * width)],
      operations: [{ kind: 'globalMean' }],
    };
  },
});

/**
 * Batch normalization of each channel with PyTorch's conventions: ε = 1e-5, running statistics moved by 0.1 of their difference,
 * the running variance unbiased. Behind a convolution it is folded into that layer's σ in bounds; elsewhere no bound is known.
 */
export const batchNorm = (): ModelLayer => ({
  kind: 'norm',
  description: 'batchNorm',
  plan(inputShape, name) {
    const channels = [inputShape.at(-1)!];
    const axes = inputShape.map((_, axis) => axis);
    return {
      outputShape: inputShape,
      weights: [
        { name: 'scale', shape: channels, start: 1 },
        { name: 'offset', shape: channels, start: 0 },
        { name: 'mean', shape: channels, start: 0, statistic: true },
        { name: 'variance', shape: channels, start: 1, statistic: true },
      ],
      apply(x, { weight, update }) {
        const running = { mean: weight('mean'), variance: weight('variance') };
        const { mean, variance } = update ? tf.moments(x, axes) : running;
        if (update !== undefined) {
          const moved = movedRunning(name, x.size / channels[0]!, { mean, variance }, running);
          update('mean', moved.mean);
          update('variance', moved.variance);
        }
        const normalized = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, EPSILON)));
        return tf.add(tf.mul(normalized, weight('scale')), weight('offset'));
      },
      normalization: { scale: `${name}/scale`, variance: `${name}/variance`, epsilon: EPSILON },
      operations: [
        {
          kind: 'normalize',
          scale: `${name}/scale`,
          offset: `${name}/offset`,
          mean: `${name}/mean`,
          variance: `${name}/variance`,
          epsilon: EPSILON,
        },
      ],
    };
  },
});

/**
 * s(x) + f(x): a branch of layers, and a shortcut beside it, which is the identity where none is given.
 *
 * @param shortcut for a branch that changes the shape, such as [conv(128, { size: 1, stride: 2 })]
 * @example layers.residual([layers.conv(64, { stride: 2 }), layers.relu(), layers.conv(64)], [layers.conv(64, { size: 1, stride: 2 })])
 */
export function residual(branch: readonly ModelLayer[], shortcut: readonly ModelLayer[] = []): ModelLayer {
  const listed = (layers: readonly ModelLayer[]) => `(${layers.map(({ description }) => description).join(', ')})`;
  return {
    kind: 'residual',
    description: `residual ${listed(branch)}${shortcut.length > 0 ? ` beside ${listed(shortcut)}` : ''}`,
    plan(inputShape, name) {
      const one = planned(branch, inputShape, `${name}/`);
      const other = planned(shortcut, inputShape, `${name}/shortcut/`);
      const shapes = [one, other].map((plans) => plans.at(-1)?.outputShape ?? inputShape);
      if (shapes[0]!.join() !== shapes[1]!.join()) {
        throw new WeirError(
          `layer '${name}' adds [${shapes[0]!.join(', ')}] of its branch to [${shapes[1]!.join(', ')}] of its shortcut`,
          'let the branch keep the shape, or give a shortcut that changes it alike',
        );
      }
      const inside = [...one, ...other];
      const branches = [partsOf(one), partsOf(other)];
      const known = branches.every((parts) => parts !== undefined);
      const steps = [operationsOf(one), operationsOf(other)];
      return {
        outputShape: shapes[0]!,
        inside,
        apply: (x, run) => tf.add(throughLayers(one, x, run, `${name}/`), throughLayers(other, x, run, `${name}/`)),
        linear: inside.flatMap(({ linear = [] }) => linear),
        ...(known && { parts: [{ kind: 'sum', branches: branches as Part[][] }] }),
        ...(steps.every((one) => one !== undefined) && { operations: [{ kind: 'sum', branches: steps }] }),
      };
    },
  };
}
