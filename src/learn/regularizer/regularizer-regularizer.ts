import type { Data } from '../../flow/core-data.js';
import type { tf } from '../../tensorflow/device-tf.js';
import type { Gradients, Weights } from '../model/model-model.js';

/** A batch and the weights it meets, as a regularizer sees them. It only reads. */
export interface Look {
  readonly weights: Weights;
  /** float32 [n, ...inputShape]. */
  readonly x: tf.Tensor;
  /** int32 [n]. */
  readonly labels: tf.Tensor1D;
}

/**
 * A term that is added to the loss, as its value and its gradient.
 *
 * It works where it must: on the weights alone, on the features of the batch (their gradient goes back through the network
 * together with the loss's), or on the network's derivatives at the batch.
 */
export interface Regularizer {
  readonly kind: string;
  /** Samples that it needs in every batch, where one is not enough. */
  readonly leastSamples?: number;
  /** Is it on at the updates of this epoch (from 1)? */
  active(epoch: number): boolean;
  /** Its gradient with respect to the features, [n, width]; the tensor belongs to the caller. */
  featuresGradient?(features: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor2D;
  /** Adds its gradient with respect to weights, of a term on the weights alone: once an update. Takes the gradients it replaces. */
  addGradients?(look: Pick<Look, 'weights'>, gradients: Gradients): void;
  /** The same of a term that is a mean over samples: once a batch, of which an update may have several. */
  addSampleGradients?(look: Look, gradients: Gradients): void;
  /** What it adds to the loss, strength included; read from the device. */
  value(look: Look & { readonly features: tf.Tensor2D }): number;
  /** What it carries from update to update, as plain data; none if it is a function of its arguments. */
  save?(): Data;
  load?(data: Data): void;
}
