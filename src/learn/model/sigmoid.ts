import { tf } from '../../tensorflow/device-tf.js';
import type { Activation } from './activation-activation.js';

/** φ(z) = 1/(1 + e⁻ᶻ), φ'(z) = φ(1 − φ), φ'' = φ'(1 − 2φ). */
export const sigmoid: Activation = {
  name: 'sigmoid',
  lipschitz: 0.25,
  value: (z) => tf.sigmoid(z),
  derivative: (z) =>
    tf.tidy(() => {
      const value = tf.sigmoid(z);
      return tf.mul(value, tf.sub(1, value));
    }),
  curvature: (z) =>
    tf.tidy(() => {
      const value = tf.sigmoid(z);
      return tf.mul(tf.mul(value, tf.sub(1, value)), tf.sub(1, tf.mul(value, 2)));
    }),
};
