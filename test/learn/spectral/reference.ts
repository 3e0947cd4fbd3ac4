import { sizeOf } from '../../../src/flow/data.js';
import { keyed } from '../../../src/flow/random.js';
import { tf } from '../../../src/tensorflow/tf.js';

/** A kernel HWIO of N(0, 1) values. */
export function kernelOf(shape: [number, number, number, number], seed = 0): tf.Tensor4D {
  const random = keyed(seed, 'test/kernel');
  const values = Float32Array.from({ length: sizeOf(shape) }, () => random.normal());
  return tf.tensor4d(values, shape);
}

/**
 * σ of a circular convolution from its definition, by power iteration on the image in float64: output (a, b) is the sum over the kernel
 * of what lies at (a · stride + i − up, b · stride + j − left), modulo the size.
 */
export function sigmaByDefinition(kernel: tf.Tensor4D, height: number, width: number, stride: number): number {
  const [rows, columns, inputs, outputs] = kernel.shape;
  const w = kernel.dataSync();
  const [up, left] = [Math.floor((rows - 1) / 2), Math.floor((columns - 1) / 2)];
  const [tall, wide] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  let v = Float64Array.from({ length: height * width * inputs }, (_, i) => Math.sin(1 + i * i));
  let sigma = 0;
  for (let step = 0; step < 4000; step++) {
    const norm = Math.hypot(...v);
    const u = new Float64Array(tall * wide * outputs);
    const back = new Float64Array(v.length);
    const visit = (each: (input: number, output: number, weight: number) => void): void => {
      for (let a = 0; a < tall; a++)
        for (let b = 0; b < wide; b++)
          for (let i = 0; i < rows; i++)
            for (let j = 0; j < columns; j++)
              for (let c = 0; c < inputs; c++)
                for (let o = 0; o < outputs; o++) {
                  const y = (a * stride + i - up + rows * height) % height;
                  const x = (b * stride + j - left + columns * width) % width;
                  const weight = w[((i * columns + j) * inputs + c) * outputs + o]!;
                  each((y * width + x) * inputs + c, (a * wide + b) * outputs + o, weight);
                }
    };
    visit((input, output, weight) => (u[output]! += (weight * v[input]!) / norm));
    visit((input, output, weight) => (back[input]! += weight * u[output]!));
    const next = Math.hypot(...u);
    if (Math.abs(next - sigma) < 1e-12 * next) return next;
    sigma = next;
    v = back;
  }
  return sigma;
}
