import { tf } from '../../device/tf.js';
import type { Activation } from './activation.js';

/**
 * φ(z) = z · N(z), N the cumulative normal distribution by erf (not its tanh approximation), as in all experiments of the paper.
 *
 * φ'(z) = N(z) + z · n(z), n the normal density. It exceeds 1: its maximum is ½(1 + erf 1) + 1/(e√π) = 1.129 at z = √2,
 * although (A.12) takes slopes to be at most 1.
 */
export const gelu: Activation = {
  name: 'gelu',
  lipschitz: 1.1289042451,
  value: (z) => tf.tidy(() => tf.mul(z, cumulative(z))),
  derivative: (z) =>
    tf.tidy(() =>
      tf.add(cumulative(z), tf.mul(z, tf.mul(tf.exp(tf.mul(tf.square(z), -0.5)), 1 / Math.sqrt(2 * Math.PI)))),
    ),
};

const cumulative = (z: tf.Tensor2D): tf.Tensor2D => tf.mul(tf.add(tf.erf(tf.mul(z, Math.SQRT1_2)), 1), 0.5);
