import { tf } from '../tf.js';
import { attribute, execute, hasNative } from './eager.js';

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

const float32 = attribute.type('T', 'float32');

/** The error function, elementwise. Without the native runtime within 2e-7 (Abramowitz and Stegun, 7.1.26). No gradient. */
export function erf<X extends tf.Tensor>(x: X): X {
  if (hasNative()) return execute('Erf', [float32], [x]) as X;
  return tf.tidy(() => {
    const t = tf.div(1, tf.add(1, tf.mul(tf.abs(x), 0.3275911)));
    let polynomial: tf.Tensor = tf.mul(t, 1.061405429);
    for (const coefficient of [-1.453152027, 1.421413741, -0.284496736, 0.254829592]) {
      polynomial = tf.mul(tf.add(polynomial, coefficient), t);
    }
    return tf.mul(tf.sign(x), tf.sub(1, tf.mul(polynomial, tf.exp(tf.neg(tf.square(x)))))) as X;
  });
}

/** Φ(x) = (1 + erf(x/√2)) / 2, the gate of GELU(x) = x Φ(x). No gradient: that of GELU is Φ(x) + x φ(x). */
export function normalCdf<X extends tf.Tensor>(x: X): X {
  return tf.tidy(() => tf.mul(tf.add(erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5) as X);
}

/** φ(x) = exp(−x²/2) / √(2π), the derivative of Φ. */
export function normalPdf<X extends tf.Tensor>(x: X): X {
  return tf.tidy(() => tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI)) as X);
}
