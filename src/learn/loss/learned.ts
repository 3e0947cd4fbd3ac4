import type { tf } from '../../tensorflow/device-tf.js';
import type { Gradients, Weights } from '../model/model-model.js';

/** What one look at a batch gives; the tensors belong to the caller. */
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

/** The gradient of a penalty on the features of a batch, [n, width] as they are; it belongs to the caller. */
export type OfFeatures = (features: tf.Tensor2D, labels: tf.Tensor1D) => tf.Tensor2D;
