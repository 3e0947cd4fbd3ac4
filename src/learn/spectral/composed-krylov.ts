import { tf } from '../../tensorflow/device-tf.js';
import { batchMatMul } from '../../tensorflow/ops/native-linear.js';
import { svd } from '../../tensorflow/ops/native-svd.js';
import type { Grid, Krylov, krylovAtFrequencies } from '../../tensorflow/ops/spectral.js';
import { scoped } from '../../tensorflow/scoped.js';
import { amplitudesOf, blocks } from './blocks.js';
import { frequencies } from './spectral-frequencies.js';

/** What `krylovAtFrequencies` does, out of TensorFlow's own operations: on a GPU, or where the binding has no others. */
export function composedKrylov(
  kernel: tf.Tensor4D,
  grid: Grid,
  state: Float32Array,
  { steps, vectors }: Krylov,
): ReturnType<typeof krylovAtFrequencies> {
  const { half, phases } = frequencies(grid, kernel.shape);
  const [inputs, count] = [phases.length * kernel.shape[2], half.length];
  const [re, im, lengths] = scoped(() => {
    const p = blocks(kernel, grid); // Pᵀ: vectors are rows here
    const images = (rows: tf.Tensor) => batchMatMul(batchMatMul(rows, p), p, { adjoint: 'b' }); // (PᴴP v)ᵀ
    const whole = tf.transpose(tf.tensor4d(state, [inputs, 2, count, vectors]), [1, 2, 3, 0]);
    const [re, im] = tf.unstack(whole) as [tf.Tensor, tf.Tensor];
    const given = tf.complex(re, im);
    let last = given;
    let space = given;
    for (let step = 1; step < steps; step++) {
      last = unit(images(last));
      space = joined(space, last);
    }
    const basis = adjoint(svd(adjoint(space)).u); // orthonormal rows
    const image = images(basis);
    const { u } = svd(batchMatMul(image, basis, { adjoint: 'b' })); // of (q A qᴴ)ᵀ, which is Hermitian
    const best = batchMatMul(adjoint(firstColumns(u, vectors)), image);
    const long = length(best);
    const moves = tf.greater(long, 0); // where nothing comes back, the directions stay
    return [
      tf.where(moves, tf.div(tf.real(best), long), re),
      tf.where(moves, tf.div(tf.imag(best), long), im),
      tf.slice(long, [0, 0, 0], [count, 1, 1]),
    ].map((x) => x.dataSync<'float32'>().slice());
  }) as [Float32Array, Float32Array, Float32Array];
  const columns = count * vectors;
  const next = new Float32Array(state.length);
  for (let column = 0; column < columns; column++) {
    for (let i = 0; i < inputs; i++) {
      next[2 * i * columns + column] = re[column * inputs + i]!;
      next[(2 * i + 1) * columns + column] = im[column * inputs + i]!;
    }
  }
  const top = lengths.reduce((best, length, f) => (length <= lengths[best]! ? best : f), 0);
  const vector = new Float32Array(2 * inputs);
  const first = top * vectors * inputs;
  vector.set(re.subarray(first, first + inputs));
  vector.set(im.subarray(first, first + inputs), inputs);
  const amplitudes = amplitudesOf(vector, grid, phases, inputs / phases.length);
  return { state: next, estimate: Math.sqrt(lengths[top]!), frequency: half[top]!, amplitudes };
}

/** Of each row, [frequencies, rows, 1]. */
const length = (x: tf.Tensor): tf.Tensor =>
  tf.sqrt(tf.sum(tf.add(tf.square(tf.real(x)), tf.square(tf.imag(x))), -1, true));

const unit = (x: tf.Tensor): tf.Tensor => {
  const long = length(x);
  return tf.complex(tf.divNoNan(tf.real(x), long), tf.divNoNan(tf.imag(x), long));
};

const joined = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
  tf.complex(tf.concat([tf.real(a), tf.real(b)], 1), tf.concat([tf.imag(a), tf.imag(b)], 1));

const adjoint = (x: tf.Tensor): tf.Tensor =>
  tf.complex(tf.transpose(tf.real(x), [0, 2, 1]), tf.neg(tf.transpose(tf.imag(x), [0, 2, 1])));

const firstColumns = (x: tf.Tensor, columns: number): tf.Tensor => {
  const [count, rows] = x.shape as [number, number];
  const part = (y: tf.Tensor) => tf.slice(y, [0, 0, 0], [count, rows, columns]);
  return tf.complex(part(tf.real(x)), part(tf.imag(x)));
};
