import { tf } from '../../tensorflow/device-tf.js';
import { singularValues, svd } from '../../tensorflow/ops/native-svd.js';
import type { Certified, Grid, Wave } from '../../tensorflow/ops/spectral.js';
import { scoped } from '../../tensorflow/scoped.js';
import { amplitudesOf, blocks } from './blocks.js';
import { frequencies } from './spectral-frequencies.js';

/**
 * σ by singular value decomposition of every block, out of TensorFlow's own operations: on a GPU, or where the binding has no
 * others. float32; the bound is what a stable decomposition may lose to rounding, (rows + columns) · 2⁻²³ of σ: no proof.
 */
export function decomposedSigma(kernel: tf.Tensor4D, grid: Grid): Certified & Wave {
  const { half, phases } = frequencies(grid, kernel.shape);
  const inputs = kernel.shape[2];
  return scoped(() => {
    const all = blocks(kernel, grid);
    const [, rows, columns] = all.shape as [number, number, number];
    const values = tf.max(singularValues(all), -1).dataSync<'float32'>();
    const top = values.reduce((best, sigma, i) => (sigma <= values[best]! ? best : i), 0);
    const part = (x: tf.Tensor) => tf.slice(x, [top, 0, 0], [1, rows, columns]);
    const { u } = svd(tf.complex(part(tf.real(all)), part(tf.imag(all)))); // Pᵀ = u s vᴴ: the input's vector is conj(u)
    const [re, im] = [tf.real(u), tf.neg(tf.imag(u))].map((x) => tf.slice(x, [0, 0, 0], [1, rows, 1]).dataSync());
    const vector = Float32Array.of(...re!, ...im!);
    const sigma = values[top]!;
    return {
      ...{ sigma, bound: sigma * (rows + columns) * 2 ** -23, frequency: half[top]! },
      amplitudes: amplitudesOf(vector, grid, phases, inputs),
    };
  });
}
