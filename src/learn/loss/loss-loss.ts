import type { tf } from '../../tensorflow/device-tf.js';

/** What a loss makes of the logits of a batch. */
export interface LossValue {
  /** The mean over the batch, in nats; a scalar. */
  readonly value: tf.Scalar;
  /** Its gradient with respect to the logits, [n, classes]. */
  readonly gradient: tf.Tensor2D;
}

/** A loss over logits and integer labels, with its gradient by hand. */
export interface Loss {
  readonly name: string;
  /** @param logits float32 [n, classes] @param labels int32 [n]. The tensors returned belong to the caller. */
  of(logits: tf.Tensor2D, labels: tf.Tensor1D): LossValue;
}
