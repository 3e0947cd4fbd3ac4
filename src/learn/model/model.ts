import type { tf } from '../device/tf.js';

/** Tensors by name, in the order of the flow: 'hidden1/kernel', 'hidden1/bias', …, 'readout/kernel', 'readout/bias'. */
export type Weights = ReadonlyMap<string, tf.Tensor>;

/** Gradients by the name of the weight they belong to. */
export type Gradients = Map<string, tf.Tensor>;

/** A layer that has a spectral norm. */
export interface Layer {
  readonly name: string;
  /** Name of its kernel among the weights. */
  readonly kernel: string;
  /** Dense kernels are [in, out]: y = xW + b. */
  readonly kind: 'dense';
}

/** Logits, and what turns their gradient into that of every weight. */
export interface Pullback {
  readonly logits: tf.Tensor2D;
  /** Call it once: it takes what the forward pass kept. The gradients belong to the caller. */
  gradients(logitsGradient: tf.Tensor2D): Gradients;
}

/** A model whose first layer is dense, x·kernel + bias, and the way from there to the logits. */
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

/**
 * A network F = readout ∘ Φ as a value: it holds no weights, they come and go by name.
 *
 * Inputs are float32 of shape [n, ...inputShape]; what a method returns belongs to the caller.
 */
export interface Model {
  readonly name: string;
  /** Shape of one sample. */
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** The layers of the feature map Φ, from the input on. */
  readonly featureLayers: readonly Layer[];
  readonly readout: Layer;
  /** Fresh weights: a function of the seed alone, the same on every device. */
  start(seed: number): Weights;
  /** Φ(x), of shape [n, width]. */
  features(weights: Weights, x: tf.Tensor): tf.Tensor2D;
  /** F(x), of shape [n, classes]. */
  logits(weights: Weights, x: tf.Tensor): tf.Tensor2D;
  /** Where the first layer is dense: what lets an attack evaluate many points about one with fewer products. */
  readonly first?: DenseFirst;
  /** The forward pass with a backward pass made by hand; without it the gradient is TensorFlow.js's. */
  pullback?(weights: Weights, x: tf.Tensor): Pullback;
}

/** The weight of that name; a model asked for one that is not there is a programming error. */
export function weight<T extends tf.Tensor>(weights: Weights, name: string): T {
  const tensor = weights.get(name);
  if (tensor === undefined) throw new Error(`no weight '${name}' among ${[...weights.keys()].join(', ')}`);
  return tensor as T;
}
