import { WeirError } from '../../flow/errors.js';
import { statelessNormal } from '../../tensorflow/ops/eager.js';
import { tf } from '../../tensorflow/tf.js';
import type { BoundaryWalk } from './boundary-walk.js';

/**
 * Noise for images in the subspace of their low frequencies: standard normal coefficients of the lowest 1/f of each side, the others 0,
 * through the inverse of the orthonormal discrete cosine transform (DCT-II), each channel by itself.
 *
 * @param sampleShape height, width, and channels where there are several
 * @throws {WeirError} where samples are no images, or smaller than f
 */
export function lowFrequencies(stage: string, sampleShape: readonly number[], f: number): BoundaryWalk['noise'] {
  const [height = 0, width = 0, channels = 1] = sampleShape;
  const [rows, columns] = [Math.floor(height / f), Math.floor(width / f)];
  if (sampleShape.length < 2 || rows < 1 || columns < 1) {
    throw new WeirError(
      `stage '${stage}' was given reduction = ${f} for samples of shape [${sampleShape}]`,
      'a reduction is for images of at least so many rows and columns; leave it out',
    );
  }
  const [down, across] = [cosines(height, rows), cosines(width, columns)];
  return (shape, lie, keys) =>
    tf.tidy(() => {
      const n = lie === 'rows' ? shape[0] : shape[1];
      const coefficients = statelessNormal([rows, columns * channels * n], keys) as tf.Tensor2D;
      const inRows = tf.reshape(tf.matMul(tf.tensor2d(down, [height, rows]), coefficients), [
        height,
        columns,
        channels * n,
      ]);
      const turned = tf.reshape(tf.transpose(inRows, [1, 0, 2]), [columns, height * channels * n]) as tf.Tensor2D;
      const whole = tf.reshape(tf.matMul(tf.tensor2d(across, [width, columns]), turned), [width, height, channels * n]);
      const z = tf.reshape(tf.transpose(whole, [1, 0, 2]), [height * width * channels, n]);
      return lie === 'rows' ? tf.transpose(z) : z;
    });
}

/** The first `count` basis vectors of the orthonormal DCT-II of length n, as columns: √(2/n) cos(π (i + ½) k / n), √(1/n) for k = 0. */
function cosines(n: number, count: number): Float32Array {
  return Float32Array.from({ length: n * count }, (_, at) => {
    const [i, k] = [Math.floor(at / count), at % count];
    return Math.sqrt((k === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (i + 0.5) * k) / n);
  });
}
