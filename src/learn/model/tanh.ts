import { tf } from '../../tensorflow/device-tf.js';
import type { Activation } from './activation-activation.js';

/** φ(z) = tanh z, φ'(z) = 1 − tanh² z, φ'' = −2φφ'. */
export const tanh: Activation = {
  name: 'tanh',
  lipschitz: 1,
  value: (z) => tf.tanh(z),
  derivative: (z) => tf.tidy(() => tf.sub(1, tf.square(tf.tanh(z)))),
  curvature: (z) =>
    tf.tidy(() => {
      const value = tf.tanh(z);
      return tf.mul(tf.mul(value, -2), tf.sub(1, tf.square(value)));
    }),
};
