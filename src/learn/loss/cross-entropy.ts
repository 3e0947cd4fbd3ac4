import { attribute, executeAll, hasNative } from '../device/eager.js';
import { tf } from '../device/tf.js';
import type { Loss, LossValue } from './loss.js';

/**
 * Softmax cross-entropy, mean over the batch: −mean log softmax(logits)[label], without label smoothing.
 *
 * Logits are shifted by their maximum, so large ones give no overflow.
 */
export function crossEntropy(): Loss {
  return { name: 'cross-entropy', of: (logits, labels) => (hasNative() ? native : portable)(logits, labels) };
}

/** One TensorFlow op gives every sample's loss and its gradient. */
function native(logits: tf.Tensor2D, labels: tf.Tensor1D): LossValue {
  const attributes = [attribute.type('T', 'float32'), attribute.type('Tlabels', 'int32')];
  return tf.tidy(() => {
    const [losses, gradients] = executeAll('SparseSoftmaxCrossEntropyWithLogits', attributes, [logits, labels], 2);
    return { value: tf.mean(losses!), gradient: tf.div(gradients!, logits.shape[0]) } as Record<string, tf.Tensor>;
  }) as unknown as LossValue;
}

/** The same out of operations that every backend has. */
export function portable(logits: tf.Tensor2D, labels: tf.Tensor1D): LossValue {
  const [n, classes] = logits.shape;
  return tf.tidy(() => {
    const target = tf.oneHot(labels, classes);
    const shifted = tf.sub(logits, tf.max(logits, 1, true));
    const logPartition = tf.log(tf.sum(tf.exp(shifted), 1, true));
    const losses = tf.sum(tf.mul(target, tf.sub(logPartition, shifted)), 1);
    const gradient = tf.div(tf.sub(tf.exp(tf.sub(shifted, logPartition)), target), n);
    return { value: tf.mean(losses), gradient } as Record<string, tf.Tensor>;
  }) as unknown as LossValue;
}
