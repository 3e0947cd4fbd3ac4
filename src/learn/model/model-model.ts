import type { ClassNames, Input, NormalizedBy } from '../../flow/header.js';
import type { tf } from '../../tensorflow/device-tf.js';
import type { DenseLayer, Layer } from './layer.js';
import type { Part } from './part.js';

export type { ConvLayer, DenseLayer, Layer, Padding } from './layer.js';

/** Tensors by name, in the order of the flow: 'hidden1/kernel', 'hidden1/bias', …, 'readout/kernel', 'readout/bias'. */
export type Weights = ReadonlyMap<string, tf.Tensor>;

/** Gradients by the name of the weight they belong to. */
export type Gradients = Map<string, tf.Tensor>;

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
   * @param featuresGradient of a regularizer on Φ(x), [n, width], sent back through the feature map with the loss's
   */
  gradients(logitsGradient: tf.Tensor2D, featuresGradient?: tf.Tensor2D): Gradients;
}

/** The same as far as the features, for a head of another kind: no readout is asked for among the weights. */
export interface FeaturePullback extends Pick<Pullback, 'features' | 'statistics'> {
  /** Call it once: it takes what the forward pass kept, features included; of every trained weight of the feature map. */
  gradients(featuresGradient: tf.Tensor2D): Gradients;
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
  /** The same at one batch, for many directions and with gradients, where the model has them by hand. */
  at?(weights: Weights, x: tf.Tensor): Linearization;
}

/** ∇Φ at the samples of one batch: what every product needs is computed once and kept until `dispose`. */
export interface Linearization {
  forward(p: tf.Tensor2D): tf.Tensor2D;
  backward(q: tf.Tensor2D): tf.Tensor2D;
  /** ∂/∂w Σ_n q_nᵀ ∇Φ(x_n) p_n for every weight w of the feature map, p and q held constant; they belong to the caller. */
  gradients(p: tf.Tensor2D, q: tf.Tensor2D): Gradients;
  dispose(): void;
}

/**
 * What no tensor of a network says, and yet decides what it makes of an input: 'architecture', and where it has them 'padding',
 * 'activation', 'scale', 'shortcut', 'stem', …. It travels with the weights, and is compared where they are taken up.
 */
export type Architecture = Readonly<Record<string, string>>;

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
  readonly architecture?: Architecture;
  /** Keys of it that nobody chose: the usual values, which weights from elsewhere need not have. */
  readonly assumed?: readonly string[];
  /**
   * Where its first weights are those of a trained network: the classes that its outputs stand for there, none where its readout is new.
   *
   * @param normalization of the inputs that come to it now, so that it can say where that network's were others
   */
  takenUp?(normalization: NormalizedBy | undefined): ClassNames | undefined;
  /** Names of the weights that no gradient moves. */
  readonly statistics?: readonly string[];
  /** Where its first weights come from, when that is a file or another run. */
  readonly inputs?: readonly Input[];
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
  /** The same of the feature map alone, where the model has it: what a head can be put upon. */
  featurePullback?(weights: Weights, x: tf.Tensor): FeaturePullback;
  /** Jacobians of the feature map by hand, where the model has them; else by differentiation. */
  readonly jacobian?: FeatureJacobian;
  /** The feature map piece by piece, one behind another: what a bound on its Lipschitz constant is made of. */
  readonly parts?: readonly Part[];
}

/** The weight of that name; a model asked for one that is not there is a programming error. */
export function weight<T extends tf.Tensor>(weights: Weights, name: string): T {
  const tensor = weights.get(name);
  if (tensor === undefined) throw new Error(`no weight '${name}' among ${[...weights.keys()].join(', ')}`);
  return tensor as T;
}
