import { batchMatMul } from '../device/native/linear.js';
import type { Grid, powerAtFrequencies } from '../device/native/spectral.js';
import { tf } from '../device/tf.js';
import { amplitudesOf, blocks } from './blocks.js';
import { frequencies } from './frequencies.js';
import { scoped } from './scoped.js';

/** What `powerAtFrequencies` does, out of TensorFlow's own operations: on a GPU, or where the binding has no others. */
export function composedPower(
  kernel: tf.Tensor4D,
  grid: Grid,
  state: Float32Array,
  steps: number,
): ReturnType<typeof powerAtFrequencies> {
  const { half, phases } = frequencies(grid, kernel.shape);
  const inputs = phases.length * kernel.shape[2];
  const count = half.length;
  const [re, im, gains] = scoped(() => {
    const all = blocks(kernel, grid);
    const whole = tf.transpose(tf.tensor3d(state, [inputs, 2, count]), [1, 2, 0]);
    let [re, im] = tf.split(whole, 2).map((part) => tf.reshape(part, [count, 1, inputs])) as [tf.Tensor, tf.Tensor];
    let gains = tf.zeros([count]);
    for (let step = 0; step < steps; step++) {
      const image = batchMatMul(tf.complex(re, im), all); // (P v)ᵀ
      const back = batchMatMul(image, all, { adjoint: 'b' }); // (Pᴴ P v)ᵀ
      const length = norm(back);
      const moves = tf.greater(length, 0); // where nothing comes back, the direction stays
      [re, im] = [
        tf.where(moves, tf.div(tf.real(back), length), re),
        tf.where(moves, tf.div(tf.imag(back), length), im),
      ];
      gains = tf.divNoNan(length, norm(image)).reshape([count]);
    }
    return [re, im, gains].map((x) => x.dataSync<'float32'>().slice());
  }) as [Float32Array, Float32Array, Float32Array];
  const next = new Float32Array(state.length);
  for (let f = 0; f < count; f++) {
    for (let i = 0; i < inputs; i++) {
      next[2 * i * count + f] = re[f * inputs + i]!;
      next[(2 * i + 1) * count + f] = im[f * inputs + i]!;
    }
  }
  const top = gains.reduce((best, gain, f) => (gain <= gains[best]! ? best : f), 0);
  const vector = new Float32Array(2 * inputs);
  vector.set(re.subarray(top * inputs, (top + 1) * inputs));
  vector.set(im.subarray(top * inputs, (top + 1) * inputs), inputs);
  const amplitudes = amplitudesOf(vector, grid, phases, kernel.shape[2]);
  return { state: next, estimate: gains[top]!, frequency: half[top]!, amplitudes };
}

/** Of each row, [frequencies, 1, 1]. */
const norm = (x: tf.Tensor): tf.Tensor =>
  tf.sqrt(tf.sum(tf.add(tf.square(tf.real(x)), tf.square(tf.imag(x))), -1, true));
