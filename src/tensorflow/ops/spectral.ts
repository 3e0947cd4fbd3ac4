import { tf } from '../tf.js';
import { execute, executeAll } from './eager.js';
import { hasFused } from './fused.js';

/** The input's size of a circular convolution, and its stride, which divides the size. */
export interface ConvolutionGrid {
  readonly height: number;
  readonly width: number;
  readonly stride: number;
}

/** A complex wave on the inputs of a convolution, at one frequency. */
export interface Wave {
  /** row · (width/stride) + column of the output's frequencies. */
  readonly frequency: number;
  /** Its amplitudes, real then imaginary: [2, stride, stride, in], of length 1. */
  readonly amplitudes: Float32Array;
}

/** The largest singular value lies within sigma and sigma + bound, rounding errors included. */
export interface Certified {
  readonly sigma: number;
  readonly bound: number;
}

/** The largest singular value with its proof, by kernels/spectral.cc. σ is NaN where the kernel is not finite. Only where `hasFused()`. */
export function provenSigma(
  kernel: tf.Tensor4D,
  { height, width, stride }: ConvolutionGrid,
  { tolerance, from }: { readonly tolerance: number; readonly from: number },
): Certified & Wave {
  const settings = tf.tensor1d([height, width, stride, from], 'int32');
  const allowed = tf.tensor1d([tolerance]);
  const outputs = executeAll('WeirConvolutionSigma', [], [kernel, settings, allowed], 2);
  const [found, amplitudes] = outputs.map((output) => output.dataSync<'float32'>()) as [Float32Array, Float32Array];
  tf.dispose([settings, allowed, ...outputs]);
  return { sigma: found[0]! + found[1]!, bound: found[2]!, frequency: found[3]!, amplitudes };
}

/** The space that one tick searches at each frequency: A^i v for i < steps, A = PᴴP, from each of its `vectors` vectors v. */
export interface KrylovSize {
  readonly steps: number;
  readonly vectors: number;
}

/**
 * Block Lanczos iteration at every frequency at once, by kernels/krylov.cc. Only where `hasFused()`. One step with one vector is power
 * iteration.
 *
 * @param state `vectors` complex vectors for each frequency: [inputs, 2, frequencies · vectors]
 * @returns the next state, and the frequency of the largest σ with its vector and an estimate of σ from below
 */
export function krylovAtFrequencies(
  kernel: tf.Tensor4D,
  { height, width, stride }: ConvolutionGrid,
  state: Float32Array,
  { steps, vectors }: KrylovSize,
): Wave & { readonly state: Float32Array; readonly estimate: number } {
  const settings = tf.tensor1d([height, width, stride, steps, vectors], 'int32');
  const before = tf.tensor1d(state);
  const outputs = executeAll('WeirFrequencyKrylov', [], [kernel, settings, before], 3);
  const [next, found, amplitudes] = outputs.map((output) => output.dataSync<'float32'>()) as Float32Array[];
  tf.dispose([settings, before, ...outputs]);
  return { state: next!, estimate: found![0]!, frequency: found![1]!, amplitudes: amplitudes! };
}

/** v · matrix for v of [rank, rows], rank a few, and a matrix of as many rows in any shape: [rank, columns]. It is read once. */
export function thinProduct(v: tf.Tensor2D, matrix: tf.Tensor): tf.Tensor2D {
  if (hasFused()) return execute('WeirThinProduct', [], [v, matrix]) as tf.Tensor2D;
  return tf.tidy(() => tf.matMul(v, tf.reshape(matrix, [v.shape[1], -1])));
}

/**
 * g + vᵀ(v · matrix ⊙ factors): with factors = strength, g and the gradient of strength/2 · ‖v · matrix‖². In one pass where there is
 * one: every update needs it.
 *
 * @param g of the matrix's shape @param factors [columns], or one for all
 */
export function addStretchGradient(g: tf.Tensor, v: tf.Tensor2D, matrix: tf.Tensor, factors: tf.Tensor): tf.Tensor {
  if (hasFused()) return execute('WeirAddStretchGradient', [], [g, v, matrix, factors]);
  return tf.tidy(() => tf.add(g, tf.reshape(tf.matMul(v, tf.mul(thinProduct(v, matrix), factors), true), g.shape)));
}
