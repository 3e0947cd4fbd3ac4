import { WeirError } from '../../../flow/errors.js';
import { checkOptions } from '../../../flow/options.js';
import { EPSILON } from '../../../tensorflow/ops/batch-norm.js';
import { convolutions } from '../../../tensorflow/ops/convolution.js';
import { checkPrecision, lent, type Precision, precisions } from '../../../tensorflow/ops/eager.js';
import { tf } from '../../../tensorflow/tf.js';
import { type Head, headOutputs, throughHead } from '../head.js';
import type { ConvLayer, FeaturePullback, Model, Padding, Weights } from '../model.js';
import { evaluate, folds } from './evaluate.js';
import { residualJacobian } from './jacobian.js';
import {
  type ConvPlan,
  convolutionsOf,
  operationsOf,
  partsOf,
  planResnet,
  type ResnetInitialization,
  startResnet,
} from './plan.js';
import { engineOf, meanOver, trainingPass } from './train.js';

export interface ResnetOptions {
  /** 18 and 34 of basic blocks, 50 of bottlenecks; 20 is the small network for CIFAR-10, of three stages. */
  readonly depth: 18 | 20 | 34 | 50;
  /** 'cifar': a 3 × 3 convolution at stride 1, no pool. 'imagenet': 7 × 7 at stride 2, then a 3 × 3 max pool at stride 2. */
  readonly stem?: 'cifar' | 'imagenet';
  readonly classes: number;
  /** Height and width of the images, in pixels. */
  readonly inputSize: readonly [height: number, width: number];
  /** Of the images. */
  readonly channels?: number;
  /** Channels of the first stage; each further one has twice as many. 64, and 16 at depth 20. */
  readonly width?: number;
  /** The values beyond the edge of an image: opposite pixels in the paper's networks. */
  readonly padding?: Padding;
  readonly activation?: 'relu';
  /** Where a block changes the size of its maps: a 1 × 1 convolution, or (depth 20) every second pixel with channels of zeros. */
  readonly shortcut?: 'projection' | 'option-a';
  /** Of activations and their gradients in training; all else, and all of evaluation, is float32. */
  readonly precision?: Precision;
  /** By default PyTorch's, and He's for the ImageNet stem and for depth 50. */
  readonly initialization?: ResnetInitialization;
}

const architectures = {
  18: { stages: [2, 2, 2, 2], bottleneck: false, width: 64, shortcut: 'projection' },
  20: { stages: [3, 3, 3], bottleneck: false, width: 16, shortcut: 'option-a' },
  34: { stages: [3, 4, 6, 3], bottleneck: false, width: 64, shortcut: 'projection' },
  50: { stages: [3, 4, 6, 3], bottleneck: true, width: 64, shortcut: 'projection' },
} as const;

/**
 * A residual network (He et al. 2016): stem, stages of blocks, mean over the map, readout. Batch normalization follows every
 * convolution, with PyTorch's conventions: ε = 1e-5, momentum 0.1, running variances unbiased, the biased one normalizes.
 *
 * Weights are named in the order of the flow: 'stem/kernel', 'stem/norm/scale', '…/offset', '…/mean', '…/variance',
 * 'stage1/block1/conv1/kernel', …, 'stage2/block1/shortcut/kernel', …, 'readout/kernel', 'readout/bias'. Kernels are HWIO, images
 * [height, width, channels]. Evaluation folds the normalizations into the convolutions, and caches the folded network of the
 * last weights until the next training step.
 *
 * Needs the native runtime. @throws {WeirError} for options that make no network
 * @example resnet({ depth: 18, stem: 'cifar', classes: 10, inputSize: [32, 32] })
 */
export function resnet(options: ResnetOptions): Model {
  checkOptions('resnet', options, {
    depth: 'required',
    stem: 'optional',
    classes: 'required',
    inputSize: 'required',
    channels: 'optional',
    width: 'optional',
    padding: 'optional',
    activation: 'optional',
    shortcut: 'optional',
    precision: 'optional',
    initialization: 'optional',
  });
  const {
    depth,
    stem = 'cifar',
    classes,
    inputSize,
    channels = 3,
    padding = 'circular',
    precision = 'float32',
  } = options;
  check(options);
  const { stages, bottleneck, ...usual } = architectures[depth];
  const { width = usual.width, shortcut = usual.shortcut } = options;
  const { initialization = stem === 'imagenet' || depth === 50 ? 'he' : 'torch' } = options;
  const [height, across] = inputSize;
  const plan = planResnet({
    stages,
    bottleneck,
    stem,
    classes,
    channels,
    padding,
    shortcut,
    height,
    width: across,
    base: width,
  });
  const all = convolutionsOf(plan);

  const images = (x: tf.Tensor): tf.Tensor4D => tf.reshape(x, [-1, height, across, channels]);
  const engine = () => convolutions('float32');
  const folded = folds(plan, engine);
  const features = (weights: Weights, x: tf.Tensor): tf.Tensor2D =>
    tf.tidy(() => {
      const maps = evaluate(plan, folded.of(weights), engine(), lent(images(x)));
      const mean = meanOver(maps, 'float32');
      maps.dispose();
      return mean;
    });
  const featurePullback = (weights: Weights, x: tf.Tensor): FeaturePullback => {
    checkPrecision(precision);
    folded.drop();
    const shaped = images(x);
    const pass = trainingPass(plan, weights, shaped, precision, engineOf(precision));
    shaped.dispose();
    return pass;
  };

  return {
    name: `resnet${depth} ${stem} width ${width} ${padding}${precision === 'float32' ? '' : ` ${precision}`}`,
    inputShape: [height, across, channels],
    classes,
    architecture: {
      architecture: `resnet${depth}`,
      stem,
      width: String(width),
      channels: String(channels),
      padding,
      activation: 'relu',
      shortcut,
      inputSize: inputSize.join(' '),
    },
    assumed: (['padding', 'shortcut', 'activation'] as const).filter((key) => options[key] === undefined),
    featureLayers: all.map(asLayer),
    readout: { kind: 'dense', name: 'readout', kernel: 'readout/kernel' },
    statistics: all.flatMap(({ norm }) => [norm.mean, norm.variance]),
    parts: partsOf(plan, asLayer),
    operations: { features: operationsOf(plan), outputs: [{ kind: 'dense', ...readout.layers[0]! }] },
    start: (seed) => startResnet(plan, seed, initialization),
    features,
    logits: (weights, x) => tf.tidy(() => headOutputs(readout, weights, features(weights, x))),
    pullback: (weights, x) => throughHead(readout, weights, featurePullback(weights, x)),
    featurePullback,
    jacobian: residualJacobian(plan, folded.of, engine, images),
  };
}

const readout: Head = { layers: [{ kernel: 'readout/kernel', bias: 'readout/bias' }] };

const asLayer = ({ name, kernel, stride, height, width, padding, norm }: ConvPlan): ConvLayer => ({
  kind: 'conv',
  name,
  kernel,
  stride,
  inputSize: [height, width],
  padding,
  normalization: { scale: norm.scale, variance: norm.variance, epsilon: EPSILON },
});

/** @throws {WeirError} */
function check({ depth, stem = 'cifar', shortcut, padding, activation, precision, ...sizes }: ResnetOptions): void {
  const oneOf = (key: string, value: unknown, allowed: readonly unknown[]): void => {
    if (value === undefined || allowed.includes(value)) return;
    throw new WeirError(
      `a residual network with ${key} '${value}' was asked for`,
      `give ${key} as one of ${allowed.join(', ')}`,
    );
  };
  oneOf('depth', depth ?? 'none', Object.keys(architectures).map(Number));
  oneOf('stem', stem, ['cifar', 'imagenet']);
  oneOf('padding', padding, ['circular', 'zero']);
  oneOf('activation', activation, ['relu']);
  oneOf('precision', precision, precisions);
  oneOf('shortcut', shortcut, depth === 50 ? ['projection'] : ['projection', 'option-a']);
  const { classes, inputSize, channels = 3, width = 64 } = sizes;
  const counts = Object.entries({
    classes,
    channels,
    width,
    height: inputSize?.[0],
    'width of images': inputSize?.[1],
  });
  for (const [key, value] of counts) {
    if (Number.isInteger(value) && value! > 0) continue;
    throw new WeirError(
      `a residual network with ${key} ${value} was asked for`,
      'give whole numbers from 1 on, and inputSize as [height, width] in pixels, such as [32, 32]',
    );
  }
}
