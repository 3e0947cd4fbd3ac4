import type { ClassNames, Input, NormalizedBy } from '../../flow/header.js';
import { checkNumbers } from '../../flow/options.js';
import { keyed } from '../../flow/random.js';
import type { tf } from '../../tensorflow/tf.js';
import type { ActivationName } from './activation.js';
import type { Operations } from './operations.js';

/** A layer that has a spectral norm: a linear map, by the kernel among the weights that makes it. */
export type Layer = DenseLayer | ConvLayer;

/** y = (xW + b) · factor. */
export interface DenseLayer {
  readonly kind: 'dense';
  readonly name: string;
  /** Name of its kernel among the weights, [in, out]. */
  readonly kernel: string;
  /** 1 where it is left out; σ is that of the kernel, without it. */
  readonly factor?: number;
}

/** A convolution over images of a stated size, [height, width, in] to [⌈height/stride⌉, ⌈width/stride⌉, out]. */
export interface ConvLayer {
  readonly kind: 'conv';
  readonly name: string;
  /** Name of its kernel among the weights, HWIO: [rows, columns, in, out]. */
  readonly kernel: string;
  readonly stride: number;
  /** The size of its input in this model, on which its σ depends (paper, B.3). */
  readonly inputSize: readonly [height: number, width: number];
  /** σ is that of the circular convolution either way; with 'zero' it is an estimate. */
  readonly padding: Padding;
  /** Names of the batch normalization behind it, where there is one: its scales may be folded into σ. */
  readonly normalization?: { readonly scale: string; readonly variance: string; readonly epsilon: number };
}

/** The values beyond the edge of an image: opposite pixels (the paper's networks), or zeros. Symmetric, as in PyTorch. */
export type Padding = 'circular' | 'zero';

/** The ℓp norms that inputs and features are measured in, p = 1, 2, ∞. */
export const norms = ['l1', 'l2', 'linf'] as const;

export type Norm = (typeof norms)[number];

export type ByNorm<T> = Readonly<Record<Norm, T>>;

/**
 * A part of a feature map, for a bound on its Lipschitz constant: a linear layer by its kernel (a convolution with the batch
 * normalization behind it, where it names one), any other map by its constants, or branches that are added.
 */
export type Part = Layer | BoundedPart | SumPart;

/** A map with ‖m(a) − m(b)‖ ≤ lipschitz · ‖a − b‖ in each norm, whatever the weights. */
export interface BoundedPart {
  readonly kind: 'bounded';
  readonly name: string;
  readonly lipschitz: ByNorm<number>;
  /** Where it is an activation of ours, applied to each value: bounds that need more than its slope know it by this name. */
  readonly activation?: ActivationName;
}

/** Branches of one input that are added: a residual block is its branch and its shortcut, [] where that is the identity. */
export interface SumPart {
  readonly kind: 'sum';
  readonly branches: readonly (readonly Part[])[];
}

/** φ applied to each value, with max |φ'|: the same constant in every norm. */
export const elementwise = (name: string, slope: number): BoundedPart => ({
  kind: 'bounded',
  name,
  lipschitz: { l1: slope, l2: slope, linf: slope },
});

/** An activation of ours, by its name. */
export const activated = ({
  name,
  lipschitz,
}: {
  readonly name: ActivationName;
  readonly lipschitz: number;
}): BoundedPart => ({ ...elementwise(name, lipschitz), activation: name });

/** The mean over all positions of a map, channel by channel: 1/positions, 1/√positions and 1. */
export const meanOver = (positions: number): BoundedPart => ({
  kind: 'bounded',
  name: 'mean',
  lipschitz: { l1: 1 / positions, l2: 1 / Math.sqrt(positions), linf: 1 },
});

/** The largest of each window of size × size at a stride: one value is in up to ⌈size/stride⌉² windows. */
export function largestOf(size: number, stride: number): BoundedPart {
  const windows = Math.ceil(size / stride) ** 2;
  return { kind: 'bounded', name: 'largest', lipschitz: { l1: windows, l2: Math.sqrt(windows), linf: 1 } };
}

/**
 * Tensors by name, float32, in the order of the flow: 'hidden1/kernel', 'hidden1/bias', …, 'readout/kernel', 'readout/bias'. They belong to the
 * training: a stage, a loss or a regularizer reads them, and neither disposes of them nor keeps them past its turn.
 *
 * @example const parameters = [...weights.values()].reduce((sum, { size }) => sum + size, 0);
 */
export type Weights = ReadonlyMap<string, tf.Tensor>;

/** Gradients by the name of the weight they belong to. */
export type Gradients = Map<string, tf.Tensor>;

/** Features and logits in training mode, with the backward pass to the gradients of every trained weight. */
export interface Pullback {
  /** Φ(x), [n, width]. */
  readonly features: tf.Tensor2D;
  readonly logits: tf.Tensor2D;
  /** The running statistics after this batch: new tensors, by name. Undefined where the model has none. */
  readonly statistics?: Weights;
  /**
   * Call it once: it disposes of the intermediate results, features and logits included. The gradients belong to the caller.
   *
   * @param featuresGradient of a regularizer on Φ(x), [n, width], sent back through the feature map with the loss's
   */
  gradients(logitsGradient: tf.Tensor2D, featuresGradient?: tf.Tensor2D): Gradients;
}

/** The same of the feature map alone, for a head of another kind: the weights need no readout. */
export interface FeaturePullback extends Pick<Pullback, 'features' | 'statistics'> {
  /** The gradients of every trained weight of the feature map. Call it once: it disposes of the intermediate results. */
  gradients(featuresGradient: tf.Tensor2D): Gradients;
}

/** The first layer of a model that begins with a dense one, x·kernel + bias, and the rest of the model. */
export interface DenseFirst {
  readonly kernel: string;
  readonly bias: string;
  /** The logits [n, classes] where the first layer's sums are (z + y + bias) · scale, z and y of [n, width], bias of [width]. */
  rest(
    weights: Weights,
    sums: readonly [z: tf.Tensor2D, y: tf.Tensor2D],
    bias: tf.Tensor1D,
    scale: number,
  ): tf.Tensor2D;
}

/** ∇Φ at each sample, as products: the matrix itself, [width, inputs], is never made. */
export interface FeatureJacobian {
  /** ∇Φ(x_n) p_n for directions p of [n, inputs]; of [n, width]. */
  forward(weights: Weights, x: tf.Tensor, p: tf.Tensor2D): tf.Tensor2D;
  /** ∇Φ(x_n)ᵀ q_n for cotangents q of [n, width]; of [n, inputs]. */
  backward(weights: Weights, x: tf.Tensor, q: tf.Tensor2D): tf.Tensor2D;
  /** The same at one batch, for many directions and with gradients, where the model has them by hand. */
  at?(weights: Weights, x: tf.Tensor): Linearization;
  /** Features and a product by one forward and one backward pass, where the model has them by hand. */
  pull?: FeaturePull;
}

/**
 * Φ(x) of [n, width], and ∇Φ(x_n)ᵀ q_n of [n, inputs], where q depends on the features: the gradient of a loss with respect to the input.
 *
 * @param cotangent makes q of [rows, width] from the features of as many rows of x, from row `first` on; a model may take x in parts
 */
export type FeaturePull = (
  weights: Weights,
  x: tf.Tensor,
  cotangent: (features: tf.Tensor2D, first: number) => tf.Tensor2D,
) => [features: tf.Tensor2D, product: tf.Tensor2D];

/** ∇Φ at the samples of one batch: intermediate results are computed once and kept until `dispose`. */
export interface Linearization {
  forward(p: tf.Tensor2D): tf.Tensor2D;
  backward(q: tf.Tensor2D): tf.Tensor2D;
  /** ∂/∂w Σ_n q_nᵀ ∇Φ(x_n) p_n for every weight w of the feature map, p and q held constant; they belong to the caller. */
  gradients(p: tf.Tensor2D, q: tf.Tensor2D): Gradients;
  dispose(): void;
}

/**
 * The properties of a network that change its outputs but are in no tensor: 'architecture', and where it has them 'padding',
 * 'activation', 'scale', 'shortcut', 'stem', …. They are saved with the weights, and compared where weights are loaded.
 */
export type Architecture = Readonly<Record<string, string>>;

/**
 * A network F = readout ∘ Φ as a value: it holds no weights, which are passed in and out by name.
 *
 * Among the weights may be running statistics, which are not trained but kept from batch to batch; `features` and `logits` use
 * them (evaluation mode), `pullback` uses the batch's own (training mode).
 *
 * Inputs are float32 of shape [n, ...inputShape]; what a method returns belongs to the caller.
 *
 * `model` makes one of layers. `modelTests` of `weir-engine/testing` holds one of your own to the rules. Errors: samples of another shape, more
 * classes than outputs and a loss that is not finite are refused by those who use the model, with its name.
 *
 * @example
 * const flat = (width: number, classes: number): Model => {
 *   const readout = { kind: 'dense', name: 'readout', kernel: 'readout/kernel' } as const;
 *   const features = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [-1, width]);
 *   return {
 *     name: `flat ${width}-${classes}`,
 *     inputShape: [width],
 *     classes,
 *     featureLayers: [],
 *     readout,
 *     start: (seed) => new Map([[readout.kernel, tf.randomNormal([width, classes], 0, 0.01, 'float32', seed)]]),
 *     features: (_, x) => features(x),
 *     logits: (weights, x) => tf.tidy(() => tf.matMul(features(x), weights.get(readout.kernel) as tf.Tensor2D)),
 *   };
 * };
 */
export interface Model {
  readonly name: string;
  /** Shape of one sample. */
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** The layers of the feature map Φ, from the input on. */
  readonly featureLayers: readonly Layer[];
  readonly readout: DenseLayer;
  readonly architecture?: Architecture;
  /** Keys of the architecture that were left at their defaults, which weights from elsewhere need not have. */
  readonly assumed?: readonly string[];
  /**
   * Where its initial weights are those of a trained network: the classes of its outputs there; undefined where its readout is new.
   *
   * @param normalization of the inputs now; a notice says where that network's differed
   */
  pretrainedClasses?(normalization: NormalizedBy | undefined): ClassNames | undefined;
  /** Names of the weights that no gradient moves. */
  readonly statistics?: readonly string[];
  /** The files or runs that its initial weights are from. */
  readonly inputs?: readonly Input[];
  /** Fresh weights: a function of the seed alone, the same on every device. */
  start(seed: number): Weights;
  /** Φ(x), of shape [n, width]. */
  features(weights: Weights, x: tf.Tensor): tf.Tensor2D;
  /** F(x), of shape [n, classes]. */
  logits(weights: Weights, x: tf.Tensor): tf.Tensor2D;
  /**
   * Φ(x) in training mode, out of operations that TensorFlow.js differentiates, with the running statistics after this batch: for a
   * model without a `pullback` whose training differs from its evaluation. Its logits are then the readout of these features.
   */
  training?(weights: Weights, x: tf.Tensor): Pick<Pullback, 'features' | 'statistics'>;
  /** Where the first layer is dense: an attack then evaluates many points around one with fewer products. */
  readonly first?: DenseFirst;
  /** The forward pass with a backward pass by hand; without it gradients are by TensorFlow.js's automatic differentiation. */
  pullback?(weights: Weights, x: tf.Tensor): Pullback;
  /** The same of the feature map alone, as a projection head needs it; else by differentiation. */
  featurePullback?(weights: Weights, x: tf.Tensor): FeaturePullback;
  /** Jacobians of the feature map by hand, where the model has them; else by differentiation. */
  readonly jacobian?: FeatureJacobian;
  /** The parts of the feature map, one behind another, for a bound on its Lipschitz constant. */
  readonly parts?: readonly Part[];
  /** Its steps in evaluation as plain data, for files of other tools; none where one of them has no such form. */
  readonly operations?: Operations;
}

/** The weight of that name; a model asked for one that is not there is a programming error. */
export function weight<T extends tf.Tensor>(weights: Weights, name: string): T {
  const tensor = weights.get(name);
  if (tensor === undefined) throw new Error(`no weight '${name}' among ${[...weights.keys()].join(', ')}`);
  return tensor as T;
}

/** The name of a dense layer's bias, among the weights where it has one. */
export const biasOf = ({ kernel }: DenseLayer): string => kernel.replace(/kernel$/, 'bias');

/**
 * Fills a weight with its first values.
 *
 * @param key the seed, the layer counted from the input (0 first), and 0 for its kernel, 1 for its bias
 */
export type Initialization = (
  values: Float32Array,
  key: { seed: number; layer: number; part: 0 | 1; fanIn: number },
) => void;

/** `size` first values by an initialization. */
export function initialized(by: Initialization, size: number, key: Parameters<Initialization>[1]): Float32Array {
  const values = new Float32Array(size);
  by(values, key);
  return values;
}

/**
 * N(0, deviation²) for kernels and biases alike: with 0.01 the initialization of the authors' MLPs (the paper names none).
 *
 * @throws {WeirError} unless the deviation is a finite number from 0 on
 * @example mlp([784, 100, 10], { initialization: normal(0.05) })
 */
export function normal(deviation = 0.01): Initialization {
  checkNumbers('normal', { deviation });
  return (values, { seed, layer, part }) => {
    const random = keyed(seed, 'weights', layer, part);
    for (let i = 0; i < values.length; i++) values[i] = deviation * random.normal();
  };
}

/** U(−1/√fanIn, 1/√fanIn) for kernels and biases: the default of PyTorch's linear layers. */
export const uniform =
  (): Initialization =>
  (values, { seed, layer, part, fanIn }) => {
    const random = keyed(seed, 'weights', layer, part);
    const bound = 1 / Math.sqrt(fanIn);
    for (let i = 0; i < values.length; i++) values[i] = bound * (2 * random.uniform() - 1);
  };
