import { WeirError } from '../../flow/errors.js';
import { tf } from '../../tensorflow/tf.js';
import { checkedScalar } from '../model/autodiff.js';
import type { Loss, LossValue, ScalarLoss } from './loss.js';

/**
 * A loss of your own, whose gradient is TensorFlow.js's: `compute` gives the mean over the batch, by differentiable operations of the
 * `tf` that is exported here. It must be a function of its arguments alone. Intermediate results are disposed of.
 *
 * A gradient that is not finite makes the value NaN, at which the training ends by name before a snapshot has such weights.
 *
 * @param name for messages
 * @param compute of logits, float32 [n, classes], and labels, int32 [n]; both stay the caller's. It returns a scalar, float32; its type is
 * that of any tensor, as most operations of TensorFlow.js declare it.
 * @throws {WeirError} for other arguments; at the first batch, where `compute` fails, does not return a scalar, or cannot be differentiated
 * @example
 * const focal = loss('focal', (logits, labels) => {
 *   const chosen = tf.sum(tf.mul(tf.logSoftmax(logits), tf.oneHot(labels, logits.shape[1])), 1);
 *   return tf.neg(tf.mean(tf.mul(tf.square(tf.sub(1, tf.exp(chosen))), chosen)));
 * });
 */
export function loss(name: string, compute: (...batch: Parameters<ScalarLoss>) => tf.Tensor, ...more: []): Loss {
  if (typeof name !== 'string' || typeof compute !== 'function') {
    throw new WeirError(
      `loss was given a ${typeof name} and a ${typeof compute}`,
      "give its name, then the function: loss('focal', (logits, labels) => …)",
    );
  }
  if (more.length > 0) {
    throw new WeirError(
      `loss '${name}' was given more than its name and its function`,
      'it has no options: what a smoothing or a weight of classes is to do, compute in the function',
    );
  }
  const scalar: ScalarLoss = (logits, labels) =>
    checkedScalar(
      `loss '${name}'`,
      compute(logits, labels),
      'return a float32 scalar, the mean over the batch: tf.mean(losses)',
    );
  return {
    name,
    scalar,
    of: (logits, labels) =>
      tf.tidy(() => {
        const run = tf.valueAndGrad((x: tf.Tensor2D) => scalar(x, labels));
        const { value, grad } = differentiated(name, () => run(logits));
        return { value: spoiledBy([grad], value as tf.Scalar), gradient: grad } as Record<string, tf.Tensor>;
      }) as unknown as LossValue,
  };
}

/** The value; NaN where a gradient is not finite, since 0 · NaN and 0 · ∞ are NaN. Else 0 is added, which changes no bit. */
export const spoiledBy = (gradients: readonly tf.Tensor[], value: tf.Scalar): tf.Scalar =>
  tf.tidy(() => tf.add(value, tf.mul(tf.addN(gradients.map((gradient) => tf.sum(gradient))), 0)));

/** Differentiates a loss. @throws {WeirError} that names the loss, in the place of TensorFlow.js's error */
export function differentiated<T>(name: string, differentiate: () => T): T {
  try {
    return differentiate();
  } catch (error) {
    if (error instanceof WeirError) throw error;
    const { message } = error as Error;
    if (message.startsWith('Cannot compute gradient')) {
      throw new WeirError(
        `loss '${name}' cannot be differentiated by the logits: ${message}`,
        'compute it from the logits by differentiable operations of tf alone: argMax, comparisons and dataSync() have no gradient',
        { cause: error },
      );
    }
    throw new WeirError(`loss '${name}' failed: ${message}`, 'logits are float32 [n, classes] and labels int32 [n]', {
      cause: error,
    });
  }
}
