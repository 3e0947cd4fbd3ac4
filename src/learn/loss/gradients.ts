import { tf } from '../device/tf.js';
import type { Gradients, Model, Weights } from '../model/model.js';
import type { Loss } from './loss.js';

/** What one look at a batch gives; the tensors belong to the caller. */
export interface Learned {
  /** The mean loss over the batch, a scalar. */
  readonly loss: tf.Scalar;
  /** How many samples were classified correctly, a scalar. */
  readonly correct: tf.Scalar;
  readonly gradients: Gradients;
}

/**
 * The loss of a batch and its gradient with respect to every weight: by the model's own backward pass where it has one,
 * else by TensorFlow.js's automatic differentiation.
 *
 * @param x float32 [n, ...inputShape] @param labels int32 [n]
 */
export function gradientsOf(model: Model, loss: Loss, weights: Weights, x: tf.Tensor, labels: tf.Tensor1D): Learned {
  return model.pullback === undefined
    ? automatic(model, loss, weights, x, labels)
    : byHand(model.pullback(weights, x), loss, labels);
}

function byHand(pullback: ReturnType<NonNullable<Model['pullback']>>, loss: Loss, labels: tf.Tensor1D): Learned {
  const { logits } = pullback;
  const { value, gradient } = loss.of(logits, labels);
  const correct = correctOf(logits, labels);
  const gradients = pullback.gradients(gradient);
  tf.dispose([logits, gradient]);
  return { loss: value, correct, gradients };
}

function automatic(model: Model, loss: Loss, weights: Weights, x: tf.Tensor, labels: tf.Tensor1D): Learned {
  const names = [...weights.keys()];
  const named = (values: readonly tf.Tensor[]): Gradients => new Map(names.map((name, i) => [name, values[i]!]));
  let correct: tf.Scalar | undefined;
  const lossOf = tf.customGrad((logits, save) => {
    const { value, gradient } = loss.of(logits as tf.Tensor2D, labels);
    (save as tf.GradSaveFunc)([gradient]);
    return { value, gradFunc: (dy, saved) => tf.mul((saved as tf.Tensor[])[0]!, dy) };
  });
  const run = tf.valueAndGrads((...values: tf.Tensor[]) => {
    const logits = model.logits(named(values), x);
    correct = tf.keep(correctOf(logits, labels));
    return lossOf(logits);
  });
  const { value, grads } = run([...weights.values()]);
  return { loss: value as tf.Scalar, correct: correct!, gradients: named(grads) };
}

/** How many of the logits' largest are the labels'; a scalar. */
function correctOf(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  return tf.tidy(() => tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'float32')));
}
