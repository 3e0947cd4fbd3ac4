import { tf } from '../device-tf.js';
import { attribute, execute, hasNative } from './device-eager.js';

const T = attribute.type('T', 'float32');

/** max(x, 0), with TensorFlow's own gradient: TensorFlow.js composes one that takes nine times as long. */
export function relu<X extends tf.Tensor>(x: X): X {
  if (!hasNative()) return tf.relu(x);
  const rectified = tf.customGrad((x, save) => {
    const y = execute('Relu', [T], [x as tf.Tensor]);
    (save as tf.GradSaveFunc)([y]);
    return { value: y, gradFunc: (dy: tf.Tensor, [y]: tf.Tensor[]) => reluGrad(dy, y!) };
  });
  return rectified(x) as X;
}

/**
 * dy where the rectifier let its input through, 0 elsewhere.
 *
 * @param features what went into the rectifier or what came out of it: they agree in sign
 */
export function reluGrad<X extends tf.Tensor>(dy: X, features: X): X {
  if (hasNative()) return execute('ReluGrad', [T], [dy, features]) as X;
  return tf.tidy(() => tf.mul(dy, tf.step(features)) as X);
}
