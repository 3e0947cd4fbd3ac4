import { WeirError } from '../../flow/errors.js';
import { tf } from '../tf.js';
import { attribute, execute, executeAll, hasNative } from './eager.js';
import { hasFused } from './fused.js';

/** a = u · diag(s) · vᵀ (vᴴ where complex), the singular values falling; k = min(m, n). */
export interface Svd {
  /** [..., k] */
  readonly s: tf.Tensor;
  /** [..., m, k] */
  readonly u: tf.Tensor;
  /** [..., n, k] */
  readonly v: tf.Tensor;
}

/**
 * Singular value decomposition by one-sided Jacobi rotations, in float64 on the main thread: the fallback, for matrices of
 * some hundred rows. Source: Golub and Van Loan, "Matrix Computations", 4th edition, section 8.6.3.
 */
export function jacobi(a: tf.Tensor2D): Svd {
  if (a.rank !== 2 || a.dtype !== 'float32') {
    throw new WeirError(
      `the singular values of a ${a.dtype} tensor of shape [${a.shape.join(', ')}] need the native TensorFlow runtime`,
      'run `weir setup`, which says what is missing',
    );
  }
  const [rows, columns] = a.shape;
  const tall = rows >= columns;
  const [m, n] = tall ? [rows, columns] : [columns, rows];
  const values = a.dataSync();
  // work[j] is column j of the tall one of a and aᵀ, which the rotations make orthogonal; rotations[j] gathers them.
  const work = Array.from({ length: n }, (_, j) =>
    Float64Array.from({ length: m }, (_, i) => (tall ? values[i * columns + j] : values[j * columns + i])!),
  );
  const rotations = Array.from({ length: n }, (_, j) => Float64Array.from({ length: n }, (_, i) => (i === j ? 1 : 0)));

  let rotated = true;
  for (let sweep = 0; rotated && sweep < 60; sweep++) {
    rotated = false;
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) rotated = orthogonalize(work, rotations, p, q) || rotated;
    }
  }

  const norms = work.map((column) => Math.sqrt(dot(column, column)));
  const order = norms.map((_, j) => j).sort((i, j) => norms[j]! - norms[i]!);
  const s = tf.tensor1d(order.map((j) => norms[j]!));
  const left = gather(order, m, (j, i) => (norms[j]! > 0 ? work[j]![i]! / norms[j]! : 0));
  const right = gather(order, n, (j, i) => rotations[j]![i]!);
  return tall ? { s, u: left, v: right } : { s, u: right, v: left };
}

function orthogonalize(work: Float64Array[], rotations: Float64Array[], p: number, q: number): boolean {
  const [x, y] = [work[p]!, work[q]!];
  const [xx, yy, xy] = [dot(x, x), dot(y, y), dot(x, y)];
  if (Math.abs(xy) <= 1e-14 * Math.sqrt(xx * yy)) return false;
  const zeta = (yy - xx) / (2 * xy);
  const t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const c = 1 / Math.hypot(1, t);
  rotate(x, y, c, c * t);
  rotate(rotations[p]!, rotations[q]!, c, c * t);
  return true;
}

function rotate(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let i = 0; i < x.length; i++) {
    const [xi, yi] = [x[i]!, y[i]!];
    x[i] = c * xi - s * yi;
    y[i] = s * xi + c * yi;
  }
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

function gather(order: number[], rows: number, at: (column: number, row: number) => number): tf.Tensor2D {
  const values = new Float32Array(rows * order.length);
  order.forEach((j, k) => {
    for (let i = 0; i < rows; i++) values[i * order.length + k] = at(j, i);
  });
  return tf.tensor2d(values, [rows, order.length]);
}

/** The singular value decomposition of the matrices in the last two axes; complex ones and batches on the native runtime only. No gradient. */
export function svd(a: tf.Tensor): Svd {
  if (!hasNative()) return jacobi(a as tf.Tensor2D);
  const [s, u, v] = executeAll('Svd', attributes(a, true), [a], 3);
  return { s: real(s!), u: u!, v: v! };
}

/** The singular values alone, [..., k], falling. */
export function singularValues(a: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    if (!hasNative()) return jacobi(a as tf.Tensor2D).s;
    return real(executeAll('Svd', attributes(a, false), [a], 3)[0]!);
  });
}

function attributes(a: tf.Tensor, vectors: boolean) {
  return [
    attribute.type('T', a.dtype === 'complex64' ? 'complex64' : 'float32'),
    attribute.bool('compute_uv', vectors),
    attribute.bool('full_matrices', false),
  ];
}

/** TensorFlow gives the singular values of a complex matrix as complex numbers. */
function real(s: tf.Tensor): tf.Tensor {
  if (s.dtype !== 'complex64') return s;
  const values = execute('Real', [attribute.type('T', 'complex64'), attribute.type('Tout', 'float32')], [s]);
  s.dispose();
  return values;
}

/**
 * Products of the complex matrices in the last two axes, the axes before them broadcast. Native runtime only; no gradient.
 *
 * @param adjoint which factor is conjugated and transposed first
 */
export const batchMatMul = (a: tf.Tensor, b: tf.Tensor, adjoint: 'none' | 'a' | 'b' = 'none'): tf.Tensor =>
  execute(
    'BatchMatMulV2',
    [
      attribute.type('T', 'complex64'),
      attribute.bool('adj_x', adjoint === 'a'),
      attribute.bool('adj_y', adjoint === 'b'),
    ],
    [a, b],
  );

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
