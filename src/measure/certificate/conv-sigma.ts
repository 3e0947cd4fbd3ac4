import { tf } from '../../tensorflow/device-tf.js';
import { sigmaAtMost } from './dense-norm.js';
import type { Kernel, Taps } from './taps.js';

/**
 * σ of a convolution from above, for any padding, stride and size, from two matrices made of its kernel (Tsuzuku et al. 2018, Singla and
 * Feizi 2021): σ ≤ σ(R)·√m, R of [rows · columns · in, out], for an output is R applied to its patch, and an input lies in m patches;
 * and σ ≤ σ(T)·√n, T of [in, rows · columns · out], for the transposed convolution in the same way, an output seeing n taps. Above σ
 * by up to √m and √n: 3 for a 3 × 3 kernel.
 */
export function convSigmaAtMost({ values, rows, columns, inputs, outputs }: Kernel, along: Taps, across: Taps): number {
  const most = (sets: readonly (readonly number[])[]): number => Math.max(...sets.map((set) => set.length));
  const kernel = tf.tensor3d(Float32Array.from(values), [rows * columns, inputs, outputs]);
  const R = tf.reshape(kernel, [rows * columns * inputs, outputs]) as tf.Tensor2D;
  const T = tf.tidy(() => tf.reshape(tf.transpose(kernel, [1, 0, 2]), [inputs, -1]) as tf.Tensor2D);
  const [r, t] = [sigmaAtMost(R), sigmaAtMost(T)];
  tf.dispose([kernel, R, T]);
  return Math.min(
    r * Math.sqrt(most(along.ofInput) * most(across.ofInput)),
    t * Math.sqrt(most(along.ofOutput) * most(across.ofOutput)),
  );
}
