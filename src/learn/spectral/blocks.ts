import { tf } from '../../tensorflow/device-tf.js';
import type { Grid } from '../../tensorflow/ops/spectral.js';
import { frequencies } from './spectral-frequencies.js';

/**
 * P(ω)ᵀ at the frequencies that stand for all, complex64 [frequencies, phases · in, out]: the transform of a small kernel is a
 * product with as many waves as it has places.
 */
export function blocks(kernel: tf.Tensor4D, grid: Grid): tf.Tensor {
  const [rows, columns, inputs, outputs] = kernel.shape;
  const { half, phases, turns } = frequencies(grid, [rows, columns]);
  return tf.tidy(() => {
    const taps = tf.reshape(kernel, [rows * columns, inputs * outputs]);
    const waves = half.map(turns);
    const parts = phases.map((phase) => {
      const here = waves[0]!.flatMap((turn, t) => (turn.phase === phase ? [t] : []));
      const some = tf.gather(taps, tf.tensor1d(here, 'int32')) as tf.Tensor2D;
      const [re, im] = (['re', 'im'] as const).map((part) =>
        tf
          .matMul(tf.tensor2d(waves.map((turn) => here.map((t) => turn[t]![part]))), some)
          .reshape([-1, inputs, outputs]),
      ) as [tf.Tensor, tf.Tensor];
      return [re, im] as const;
    });
    const [re, im] = [0, 1].map((part) =>
      tf.concat(
        parts.map((both) => both[part]!),
        1,
      ),
    ) as [tf.Tensor, tf.Tensor];
    return tf.complex(re, im);
  });
}

/** One vector on the inputs that the kernel reaches, real then imaginary, as the amplitudes of a wave: [2, stride², in]. */
export function amplitudesOf(
  vector: Float32Array,
  { stride }: Grid,
  phases: readonly number[],
  inputs: number,
): Float32Array {
  const reached = phases.length * inputs;
  const all = stride * stride * inputs;
  const amplitudes = new Float32Array(2 * all);
  for (const part of [0, 1]) {
    phases.forEach((phase, slot) => {
      const from = part * reached + slot * inputs;
      amplitudes.set(vector.subarray(from, from + inputs), part * all + phase * inputs);
    });
  }
  return amplitudes;
}
