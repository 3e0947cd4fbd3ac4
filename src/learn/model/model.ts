import type { tf } from '../device/tf.js';

/** Tensors by name, in the order of the flow: 'hidden1/kernel', 'hidden1/bias', …, 'readout/kernel', 'readout/bias'. */
export type Weights = ReadonlyMap<string, tf.Tensor>;

/** Gradients by the name of the weight they belong to. */
export type Gradients = Map<string, tf.Tensor>;

/** A layer that has a spectral norm: a linear map, by the kernel among the weights that makes it. */
export type Layer = DenseLayer | ConvLayer;

/** y = xW + b. */
export interface DenseLayer {
  readonly kind: 'dense';
  readonly name: string;
  /** Name of its kernel among the weights, [in, out]. */
  readonly kernel: string;
}

/** A convolution over images of a stated size, [height, width, in] to [⌈height/stride⌉, ⌈width/stride⌉, out]. */
export interface ConvLayer {
  readonly kind: 'conv';
  readonly name: string;
  /** Name of its kernel among the weights, HWIO: [rows, columns, in, out]. */
  readonly kernel: string;
  readonly stride: number;
  /** What the layer meets in this model: its σ depends on it (paper, B.3). */
  readonly inputSize: readonly [height: number, width: number];
  /** σ is that of the circular convolution either way; with 'zero' it is an estimate. */
  readonly padding: Padding;
  /** Names of the batch normalisation behind it, where there is one: its scales may be folded into σ. */
  readonly normalisation?: { readonly scale: string; readonly variance: string; readonly epsilon: number };
}

/** How a convolution sees beyond the edge: opposite pixels (the paper's networks), or zeros. Symmetric, as in PyTorch. */
export type Padding = 'circular' | 'zero';

/** Features and logits in training mode, and what turns their gradients into those of every trained weight. */
export interface Pullback {
  /** Φ(x), [n, width]. */
  readonly features: tf.Tensor2D;
  readonly logits: tf.Tensor2D;
  /** What this batch makes of the model's running statistics; new tensors, by name. None where the model keeps none. */
  readonly statistics?: Weights;
  /**
   * Call it once: it takes what the forward pass kept, features and logits included; the gradients belong to the caller.
   *
   * @param featuresGradient of a regulariser on Φ(x), [n, width], sent back through the feature map with the loss's
   */
  gradients(logitsGradient: tf.Tensor2D, featuresGradient?: tf.Tensor2D): Gradients;
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

/** ∇Φ at each sample, as products: the matrix itself, [width, inputs], is never made. */
export interface FeatureJacobian {
  /** ∇Φ(x_n) p_n for directions p of [n, inputs]; of [n, width]. */
  forward(weights: Weights, x: tf.Tensor, p: tf.Tensor2D): tf.Tensor2D;
  /** ∇Φ(x_n)ᵀ q_n for cotangents q of [n, width]; of [n, inputs]. */
  backward(weights: Weights, x: tf.Tensor, q: tf.Tensor2D): tf.Tensor2D;
}

/**
 * A network F = readout ∘ Φ as a value: it holds no weights, they come and go by name.
 *
 * Among the weights may be running statistics, which are not trained but kept from batch to batch; `features` and `logits` use
 * them (evaluation mode), `pullback` uses the batch's own (training mode).
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
  readonly readout: DenseLayer;
  /** Names of the weights that no gradient moves. */
  readonly statistics?: readonly string[];
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
  /** Jacobians of the feature map by hand, where the model has them; else by differentiation. */
  readonly jacobian?: FeatureJacobian;
}

/** The weight of that name; a model asked for one that is not there is a programming error. */
export function weight<T extends tf.Tensor>(weights: Weights, name: string): T {
  const tensor = weights.get(name);
  if (tensor === undefined) throw new Error(`no weight '${name}' among ${[...weights.keys()].join(', ')}`);
  return tensor as T;
}
