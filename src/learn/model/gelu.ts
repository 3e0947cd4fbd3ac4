import { tf } from '../../tensorflow/device-tf.js';
import { fusedGelu, fusedGeluProduct, fusedGeluSlope, hasFused } from '../../tensorflow/ops/fused.js';
import type { Activation, Fused } from './activation-activation.js';

const ERF_OF_1 = 0.8427007929497149;

/**
 * φ(z) = z · N(z), N the cumulative normal distribution by erf (not its tanh approximation), as in all experiments of the paper.
 *
 * φ'(z) = N(z) + z · n(z), n the normal density. It exceeds 1: its maximum is ½(1 + erf 1) + 1/(e√π) = 1.129 at z = √2,
 * although (A.12) takes slopes to be at most 1. φ''(z) = (2 − z²) n(z).
 */
export const gelu: Activation = {
  name: 'gelu',
  lipschitz: (1 + ERF_OF_1) / 2 + 1 / (Math.E * Math.sqrt(Math.PI)),
  value: (z) => tf.tidy(() => tf.mul(z, cumulative(z))),
  derivative: (z) => tf.tidy(() => tf.add(cumulative(z), tf.mul(z, density(z)))),
  curvature: (z) => tf.tidy(() => tf.mul(density(z), tf.sub(2, tf.square(z)))),
  fused: () => (hasFused() ? fused : undefined),
};

const cumulative = (z: tf.Tensor2D): tf.Tensor2D => tf.mul(tf.add(tf.erf(tf.mul(z, Math.SQRT1_2)), 1), 0.5);

const density = (z: tf.Tensor2D): tf.Tensor2D => tf.mul(tf.exp(tf.mul(tf.square(z), -0.5)), 1 / Math.sqrt(2 * Math.PI));

const fused: Fused = {
  value: (z, bias, scale) =>
    tf.customGrad((z, bias, save) => {
      (save as tf.GradSaveFunc)([z as tf.Tensor, bias as tf.Tensor]);
      return {
        value: fusedGelu(z as tf.Tensor2D, bias as tf.Tensor1D, scale),
        gradFunc: (dh: tf.Tensor, saved: tf.Tensor[]) => {
          const [, slope] = fusedGeluSlope(saved[0] as tf.Tensor2D, saved[1] as tf.Tensor1D, scale);
          const dz = tf.mul(dh, slope);
          return [dz, tf.sum(dz, 0)];
        },
      };
    })(z, bias) as tf.Tensor2D,
  withSlope: fusedGeluSlope,
  product: fusedGeluProduct,
};
