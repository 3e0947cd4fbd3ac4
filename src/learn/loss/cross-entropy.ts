import { checkNumbers, checkOptions } from '../../flow/options.js';
import { attribute, executeAll, hasNative } from '../../tensorflow/ops/eager.js';
import { tf } from '../../tensorflow/tf.js';
import type { Loss, LossValue } from './loss.js';

export interface CrossEntropyOptions {
  /** s: the part of the target that is spread evenly over all classes, the right one included. */
  readonly smoothing?: number;
}

/**
 * Softmax cross-entropy, mean over the batch: −mean Σ_k t_k log softmax(logits)_k, with the target t 1 at the label and 0 elsewhere.
 *
 * With label smoothing (Szegedy et al. 2016, section 7) in PyTorch's convention: t = (1 − s) · onehot(label) + s / classes. The
 * loss then is not 0 at any logits.
 *
 * Logits are shifted by their maximum, so large ones give no overflow.
 *
 * @throws {WeirError} for a smoothing outside of [0, 1)
 * @example crossEntropy({ smoothing: 0.1 })
 */
export function crossEntropy(options: CrossEntropyOptions = {}): Loss {
  const { smoothing = 0 } = checkOptions('crossEntropy', options, { smoothing: 'optional' });
  const name = 'cross-entropy';
  checkNumbers(`loss '${name}'`, { smoothing }, { below: 1 });
  return { name, of: (logits, labels) => (hasNative() ? native : portable)(logits, labels, smoothing) };
}

/** One TensorFlow op gives every sample's loss and its gradient. */
function native(logits: tf.Tensor2D, labels: tf.Tensor1D, smoothing: number): LossValue {
  const ofLogits = attribute.type('T', 'float32');
  return tf.tidy(() => {
    const [losses, gradients] =
      smoothing === 0
        ? executeAll(
            'SparseSoftmaxCrossEntropyWithLogits',
            [ofLogits, attribute.type('Tlabels', 'int32')],
            [logits, labels],
            2,
          )
        : executeAll(
            'SoftmaxCrossEntropyWithLogits',
            [ofLogits],
            [logits, targets(labels, logits.shape[1], smoothing)],
            2,
          );
    return { value: tf.mean(losses!), gradient: tf.div(gradients!, logits.shape[0]) } as Record<string, tf.Tensor>;
  }) as unknown as LossValue;
}

/** The same by operations that every backend has. */
export function portable(logits: tf.Tensor2D, labels: tf.Tensor1D, smoothing = 0): LossValue {
  const [n, classes] = logits.shape;
  return tf.tidy(() => {
    const target = targets(labels, classes, smoothing);
    const shifted = tf.sub(logits, tf.max(logits, 1, true));
    const logPartition = tf.log(tf.sum(tf.exp(shifted), 1, true));
    const losses = tf.sum(tf.mul(target, tf.sub(logPartition, shifted)), 1);
    const gradient = tf.div(tf.sub(tf.exp(tf.sub(shifted, logPartition)), target), n);
    return { value: tf.mean(losses), gradient } as Record<string, tf.Tensor>;
  }) as unknown as LossValue;
}

/** The target distribution, [n, classes]: each row sums to 1. WebAssembly's one-hot gives whole numbers only. */
function targets(labels: tf.Tensor1D, classes: number, smoothing: number): tf.Tensor2D {
  const hot = tf.oneHot(labels, classes) as tf.Tensor2D;
  return smoothing === 0 ? hot : tf.add(tf.mul(tf.cast(hot, 'float32'), 1 - smoothing), smoothing / classes);
}
