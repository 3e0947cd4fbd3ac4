import { WeirError } from '../../flow/errors.js';
import type { tf } from '../../tensorflow/tf.js';
import type { Gradients, Weights } from '../model/model.js';

/** The loss of a batch, with its gradient. */
export interface LossValue {
  /** The mean over the batch, of a cross-entropy in nats; a scalar. */
  readonly value: tf.Scalar;
  /** Its gradient with respect to the logits, [n, classes]. */
  readonly gradient: tf.Tensor2D;
}

/** The mean loss of a batch by operations that TensorFlow.js differentiates: logits float32 [n, classes], labels int32 [n]. */
export type ScalarLoss = (logits: tf.Tensor2D, labels: tf.Tensor1D) => tf.Scalar;

/**
 * A loss over logits and integer labels, with its gradient: by hand, or by TensorFlow.js (`loss`).
 *
 * A loss or a gradient that is not finite ends the training by the loss's name. `lossTests` of `weir-engine/testing` holds one of your own to the rules.
 *
 * @example
 * const halfSquares: Loss = {
 *   name: 'half squares', // ½ · mean ‖logits − onehot‖²
 *   of: (logits, labels) => {
 *     const [value, gradient] = tf.tidy(() => {
 *       const off = tf.sub(logits, tf.oneHot(labels, logits.shape[1]));
 *       const n = logits.shape[0];
 *       return [tf.div(tf.sum(tf.square(off)), 2 * n), tf.div(off, n)];
 *     });
 *     return { value: value as tf.Scalar, gradient: gradient as tf.Tensor2D };
 *   },
 * };
 */
export interface Loss {
  readonly name: string;
  /**
   * The loss must be a function of its arguments alone, and dispose of its intermediate results.
   *
   * @param logits float32 [n, classes]; stays the caller's
   * @param labels int32 [n], from 0 to classes − 1; stays the caller's
   * @returns tensors that belong to the caller
   */
  of(logits: tf.Tensor2D, labels: tf.Tensor1D): LossValue;
  /** The value as a function that TensorFlow.js differentiates, where the loss has no gradient by hand. */
  readonly scalar?: ScalarLoss;
}

/** A loss over the projections of several views of the same samples, without labels; its gradient by hand. */
export interface ViewsLoss {
  readonly name: string;
  /** How many views of each sample it compares. */
  readonly views: number;
  /**
   * How the views pass the batch normalizations of the model: 'each' by itself, one after another, so that running statistics
   * move once a view; or all 'together', as one batch.
   */
  readonly passes: 'each' | 'together';
  /**
   * @param projections float32 [views · n, width]: the n samples of the first view, then those of the next.
   * The tensors returned belong to the caller.
   */
  of(projections: tf.Tensor2D): ViewsLossValue;
}

/** The loss over the projections of a batch, with its gradient. */
export interface ViewsLossValue {
  /** A scalar. */
  readonly value: tf.Scalar;
  /** Its gradient with respect to the projections, [views · n, width]. */
  readonly gradient: tf.Tensor2D;
  /** How many of the n samples have their other view as the nearest projection, where the loss counts them; a scalar. */
  readonly correct?: tf.Scalar;
}

export const isOfViews = (loss: Loss | ViewsLoss): loss is ViewsLoss => 'views' in loss;

/** @throws {WeirError} for what is no loss, such as a builder that was not called */
export function checkLoss(where: string, given: Loss | ViewsLoss): void {
  const { name, of } = (given ?? {}) as { readonly [part in keyof Loss]: unknown };
  if (typeof given === 'object' && typeof name === 'string' && typeof of === 'function') return;
  throw new WeirError(
    `${where} was given ${typeof given === 'function' ? 'a function' : 'something else'} in the place of a loss`,
    'give one with name and of(logits, labels), such as crossEntropy() or loss(name, (logits, labels) => …)',
  );
}

/** The number of samples in a batch of two views. @throws {WeirError} for fewer than two samples */
export function samplesOf(name: string, projections: tf.Tensor2D): number {
  const rows = projections.shape[0];
  const samples = rows / 2;
  if (Number.isInteger(samples) && samples >= 2) return samples;
  throw new WeirError(
    `loss '${name}' was handed ${rows} projections: two views of ${samples} sample${samples === 1 ? '' : 's'}`,
    "it needs two samples or more; batch(size, { partial: 'drop' }) leaves out a short last batch",
  );
}

/** Loss, gradients and statistics of one batch; the tensors belong to the caller. */
export interface Learned {
  /** The mean loss over the batch, a scalar. */
  readonly loss: tf.Scalar;
  /** How many samples were classified correctly, a scalar; NaN where a loss without labels has no such count. */
  readonly correct: tf.Scalar;
  /** Of every weight that is trained. */
  readonly gradients: Gradients;
  /** The running statistics after this batch, where the model keeps some. */
  readonly statistics?: Weights;
}

/** The gradient of a regularizer with respect to the features of a batch, [n, width]; it belongs to the caller. */
export type OfFeatures = (features: tf.Tensor2D, labels: tf.Tensor1D) => tf.Tensor2D;
