import { WeirError } from '../../flow/errors.js';
import { tf } from '../../tensorflow/device-tf.js';
import type { Grid } from '../../tensorflow/ops/spectral.js';

/** Numbers of the largest matrix that is made, 256 MiB. */
const most = 2 ** 26;

/**
 * The matrix of a circular convolution, [height · width · in, outRows · outColumns · out], for any size and stride: output (a, b) reads
 * input (a · stride + i − ⌊(rows − 1)/2⌋) modulo height for the kernel's row i, and so on. Taps that meet at one place are added.
 *
 * @throws {WeirError} where it would be too large
 */
export function unrolled(kernel: tf.Tensor4D, { height, width, stride }: Grid): tf.Tensor2D {
  const [rows, columns, inputs, outputs] = kernel.shape;
  const [outRows, outColumns] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  const [tall, wide] = [height * width * inputs, outRows * outColumns * outputs];
  if (tall * wide > most) {
    throw new WeirError(
      `σ of a convolution with stride ${stride} on ${height} × ${width}, which the stride does not divide, would need a matrix of ${tall} × ${wide}`,
      'give a size that the stride divides (inputSize), or take the image formulation',
    );
  }
  const values = kernel.dataSync<'float32'>();
  const matrix = new Float32Array(tall * wide);
  const [up, left] = [Math.floor((rows - 1) / 2), Math.floor((columns - 1) / 2)];
  for (let a = 0; a < outRows; a++) {
    for (let b = 0; b < outColumns; b++) {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          const [y, x] = [modulo(a * stride + i - up, height), modulo(b * stride + j - left, width)];
          for (let c = 0; c < inputs; c++) {
            const to = ((y * width + x) * inputs + c) * wide + (a * outColumns + b) * outputs;
            const from = ((i * columns + j) * inputs + c) * outputs;
            for (let o = 0; o < outputs; o++) matrix[to + o]! += values[from + o]!;
          }
        }
      }
    }
  }
  return tf.tensor2d(matrix, [tall, wide]);
}

const modulo = (x: number, n: number): number => ((x % n) + n) % n;
