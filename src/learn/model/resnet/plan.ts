import { keyed, type Random } from '../../../flow/random.js';
import { EPSILON } from '../../../tensorflow/ops/batch-norm.js';
import type { ConvolutionGeometry } from '../../../tensorflow/ops/convolution.js';
import { attribute, constant, type Precision, type Raw, run } from '../../../tensorflow/ops/eager.js';
import { hasFused } from '../../../tensorflow/ops/fused.js';
import { tf } from '../../../tensorflow/tf.js';
import {
  activated,
  type ConvLayer,
  elementwise,
  largestOf,
  meanOver,
  type Padding,
  type Part,
  type Weights,
} from '../model.js';
import type { Operation } from '../operations.js';

/** A convolution with the batch normalization behind it, by the names of its weights. */
export interface ConvPlan extends ConvolutionGeometry {
  readonly name: string;
  readonly kernel: string;
  readonly norm: NormNames;
}

/** Names of a batch normalization's weights, [channels] each; mean and variance are running statistics. */
export interface NormNames {
  readonly scale: string;
  readonly offset: string;
  readonly mean: string;
  readonly variance: string;
}

/** The term added to a block's branch: its input, a convolution of it, or its every second pixel with channels of zeros. */
export type Shortcut =
  | { readonly kind: 'identity' }
  | { readonly kind: 'projection'; readonly conv: ConvPlan }
  | { readonly kind: 'subsample'; readonly geometry: ConvolutionGeometry };

/** y = relu(branch(x) + shortcut(x)); a rectifier stands between the convolutions of the branch. */
export interface BlockPlan {
  readonly branch: readonly ConvPlan[];
  readonly shortcut: Shortcut;
}

/** A residual network as data, from the input on. */
export interface ResnetPlan {
  readonly stem: ConvPlan;
  /** Size of the stem's maps, where a 3 × 3 max pool at stride 2 follows it. */
  readonly pool: { readonly height: number; readonly width: number; readonly channels: number } | undefined;
  readonly blocks: readonly BlockPlan[];
  /** Positions that the mean before the readout is over. */
  readonly positions: number;
  /** Width of Φ. */
  readonly features: number;
  readonly classes: number;
}

export interface ResnetPlanOptions {
  /** Blocks of each stage. */
  readonly stages: readonly number[];
  readonly bottleneck: boolean;
  readonly stem: 'cifar' | 'imagenet';
  readonly classes: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Channels of the first stage. */
  readonly base: number;
  readonly padding: Padding;
  readonly shortcut: 'projection' | 'option-a';
}

/** How much wider than its 3 × 3 convolution a bottleneck block is. */
const EXPANSION = 4;

/** The plan of a network (He et al. 2016; a bottleneck's stride is that of its 3 × 3 convolution, as in torchvision). */
export function planResnet(options: ResnetPlanOptions): ResnetPlan {
  const { stages, bottleneck, stem, base, padding, shortcut } = options;
  let at = { height: options.height, width: options.width, channels: options.channels };

  const conv = (name: string, out: number, size: number, stride: number): ConvPlan => {
    const norm = (part: string): string => `${name}/norm/${part}`;
    const made: ConvPlan = {
      name,
      kernel: `${name}/kernel`,
      height: at.height,
      width: at.width,
      in: at.channels,
      out,
      size,
      stride,
      padding,
      norm: { scale: norm('scale'), offset: norm('offset'), mean: norm('mean'), variance: norm('variance') },
    };
    at = { height: Math.ceil(at.height / stride), width: Math.ceil(at.width / stride), channels: out };
    return made;
  };

  const first = stem === 'cifar' ? conv('stem', base, 3, 1) : conv('stem', base, 7, 2);
  const pool = stem === 'imagenet' ? at : undefined;
  if (pool) at = { ...at, height: Math.ceil(at.height / 2), width: Math.ceil(at.width / 2) };

  const block = (name: string, width: number, stride: number): BlockPlan => {
    const start = at;
    const out = bottleneck ? EXPANSION * width : width;
    const branch = bottleneck
      ? [conv(`${name}/conv1`, width, 1, 1), conv(`${name}/conv2`, width, 3, stride), conv(`${name}/conv3`, out, 1, 1)]
      : [conv(`${name}/conv1`, width, 3, stride), conv(`${name}/conv2`, width, 3, 1)];
    if (stride === 1 && start.channels === out) return { branch, shortcut: { kind: 'identity' } };
    const end = at;
    at = start;
    const { norm: _, name: __, kernel: ___, ...geometry } = conv(`${name}/shortcut`, out, 1, stride);
    at = start;
    const made: Shortcut =
      shortcut === 'option-a'
        ? { kind: 'subsample', geometry }
        : { kind: 'projection', conv: conv(`${name}/shortcut`, out, 1, stride) };
    at = end;
    return { branch, shortcut: made };
  };

  const blocks = stages.flatMap((count, s) =>
    Array.from({ length: count }, (_, b) =>
      block(`stage${s + 1}/block${b + 1}`, base * 2 ** s, s > 0 && b === 0 ? 2 : 1),
    ),
  );
  return {
    stem: first,
    pool,
    blocks,
    positions: at.height * at.width,
    features: at.channels,
    classes: options.classes,
  };
}

/** All convolutions of the network, in the order of the flow. */
export const convolutionsOf = ({ stem, blocks }: ResnetPlan): ConvPlan[] => [
  stem,
  ...blocks.flatMap(({ branch, shortcut }) => [...branch, ...(shortcut.kind === 'projection' ? [shortcut.conv] : [])]),
];

/**
 * 'torch': kernels U(±1/√fanIn), the default of PyTorch's layers (Kaiming uniform with a = √5), as in the authors' networks on
 * CIFAR-10. 'he': convolution kernels N(0, 2/fanOut). The readout and its bias are U(±1/√fanIn) either way.
 */
export type ResnetInitialization = 'torch' | 'he';

/** Fresh weights: a function of the seed alone. Scales and variances are 1, offsets and means 0. */
export function startResnet(plan: ResnetPlan, seed: number, start: ResnetInitialization): Weights {
  const weights = new Map<string, tf.Tensor>();
  const convolutions = convolutionsOf(plan);
  const drawn = (layer: number, part: number, size: number, draw: (random: Random) => number): Float32Array => {
    const random = keyed(seed, 'weights', layer, part);
    return Float32Array.from({ length: size }, () => draw(random));
  };
  const uniform = (bound: number) => (random: Random) => bound * (2 * random.uniform() - 1);

  convolutions.forEach(({ kernel, norm, size, in: from, out }, layer) => {
    const fanIn = size * size * from;
    const deviation = Math.sqrt(2 / (size * size * out));
    const draw = start === 'he' ? (random: Random) => deviation * random.normal() : uniform(1 / Math.sqrt(fanIn));
    weights.set(kernel, tf.tensor4d(drawn(layer, 0, fanIn * out, draw), [size, size, from, out]));
    weights.set(norm.scale, tf.ones([out]));
    weights.set(norm.offset, tf.zeros([out]));
    weights.set(norm.mean, tf.zeros([out]));
    weights.set(norm.variance, tf.ones([out]));
  });
  const { features, classes } = plan;
  const draw = uniform(1 / Math.sqrt(features));
  const layer = convolutions.length;
  weights.set('readout/kernel', tf.tensor2d(drawn(layer, 0, features * classes, draw), [features, classes]));
  weights.set('readout/bias', tf.tensor1d(drawn(layer, 1, classes, draw)));
  return weights;
}

/** The parts of the feature map, for bounds on its Lipschitz constant. */
export function partsOf(plan: ResnetPlan, layer: (conv: ConvPlan) => ConvLayer): Part[] {
  const relu = activated({ name: 'relu', lipschitz: 1 });
  const aside = ({ shortcut }: BlockPlan): Part[] => {
    if (shortcut.kind === 'identity') return [];
    return [shortcut.kind === 'projection' ? layer(shortcut.conv) : elementwise('subsample', 1)];
  };
  const blocks = plan.blocks.flatMap((block): Part[] => {
    const branch = block.branch.flatMap((conv, i): Part[] => (i === 0 ? [layer(conv)] : [relu, layer(conv)]));
    return [{ kind: 'sum', branches: [branch, aside(block)] }, relu];
  });
  return [layer(plan.stem), relu, ...(plan.pool ? [largestOf(3, 2)] : []), ...blocks, meanOver(plan.positions)];
}

/** The feature map's steps in evaluation. */
export function operationsOf(plan: ResnetPlan): Operation[] {
  const relu = { kind: 'activation', name: 'relu' } as const;
  const conv = ({ kernel, size, stride, padding, norm }: ConvPlan): Operation[] => [
    { kind: 'conv', kernel, size, stride, padding },
    { kind: 'normalize', ...norm, epsilon: EPSILON },
  ];
  const aside = ({ shortcut }: BlockPlan): Operation[] => {
    if (shortcut.kind === 'identity') return [];
    if (shortcut.kind === 'projection') return conv(shortcut.conv);
    const { stride, out } = shortcut.geometry;
    return [{ kind: 'subsample', stride, out }];
  };
  const blocks = plan.blocks.flatMap((block): Operation[] => {
    const branch = block.branch.flatMap((one, i) => (i === 0 ? conv(one) : [relu, ...conv(one)]));
    return [{ kind: 'sum', branches: [branch, aside(block)] }, relu];
  });
  const pool: Operation[] = plan.pool ? [{ kind: 'maxPool', size: SIZE, stride: STRIDE, edge: 1 }] : [];
  return [...conv(plan.stem), relu, ...pool, ...blocks, { kind: 'globalMean' }];
}

const SIZE = 3;
const STRIDE = 2;

/** The largest value of each 3 × 3 window at stride 2, of rectified maps: the zeros of their padding are never the only largest. */
export interface MaxPool {
  /** y, and x padded, which the other two take. */
  forward(x: Raw): readonly [y: Raw, padded: Raw];
  /** The gradient with respect to x. */
  back(padded: Raw, y: Raw, dy: Raw): Raw;
  /** The tangent of y where x moves along t, of the shape of x. */
  tangent(padded: Raw, y: Raw, t: Raw): Raw;
}

export function maxPool(precision: Precision): MaxPool {
  const T = attribute.type('T', precision);
  const attributes = [
    T,
    attribute.int('ksize', [1, SIZE, SIZE, 1]),
    attribute.int('strides', [1, STRIDE, STRIDE, 1]),
    attribute.string('padding', 'VALID'),
    attribute.string('data_format', 'NHWC'),
  ];
  const pad = (x: Raw): Raw =>
    run('Pad', [T, attribute.type('Tpaddings', 'int32')], [x, constant('int32', [0, 0, 1, 1, 1, 1, 0, 0], [4, 2])])[0];
  return {
    forward(x) {
      const padded = pad(x);
      return [run('MaxPool', attributes, [padded])[0], padded];
    },
    back(padded, y, dy) {
      if (hasFused())
        return run(precision === 'bfloat16' ? 'WeirMaxPoolBack16' : 'WeirMaxPoolBack', [], [padded, y, dy])[0];
      const [whole] = run('MaxPoolGrad', [...attributes, attribute.int('explicit_paddings', [])], [padded, y, dy]);
      const [n, height, width, channels] = padded.shape as [number, number, number, number];
      const begin = constant('int32', [0, 1, 1, 0]);
      const size = constant('int32', [n, height - 2, width - 2, channels]);
      const [dx] = run('Slice', [T, attribute.type('Index', 'int32')], [whole, begin, size]);
      whole.dispose();
      return dx;
    },
    tangent(padded, y, t) {
      const direction = pad(t);
      const [moved] = run('MaxPoolGradGrad', attributes, [padded, y, direction]);
      direction.dispose();
      return moved;
    },
  };
}

const kernels = new Map<string, Raw>();

/**
 * The shortcut without weights (He et al. 2016, option A): every second pixel, with as many channels of zeros before as behind. It
 * is the 1 × 1 convolution, at its stride, by this kernel of zeros and ones.
 */
export function subsampling({ in: from, out }: ConvolutionGeometry): Raw {
  const key = `${from} ${out}`;
  let kernel = kernels.get(key);
  if (kernel === undefined) {
    const before = Math.floor((out - from) / 2);
    const values = Array.from({ length: from * out }, (_, i) => Number((i % out) - before === Math.floor(i / out)));
    kernel = constant('float32', values, [1, 1, from, out]);
    kernels.set(key, kernel);
  }
  return kernel;
}
