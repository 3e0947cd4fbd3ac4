import { tf } from '../../tensorflow/device-tf.js';
import type { Activation } from './activation-activation.js';

/** φ(z) = max(z, 0); φ'(0) is taken to be 0, and φ'' to be 0 everywhere. */
export const relu: Activation = {
  name: 'relu',
  lipschitz: 1,
  value: (z) => tf.relu(z),
  derivative: (z) => tf.tidy(() => tf.cast(tf.greater(z, 0), 'float32')),
  curvature: (z) => tf.zerosLike(z),
};
