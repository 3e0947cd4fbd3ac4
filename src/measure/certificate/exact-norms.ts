import { type ConvLayer, type Layer, type Part, type Weights, weight } from '../../learn/model/model.js';
import { exactSigma } from '../../learn/spectral/exact.js';
import { hasNative } from '../../tensorflow/ops/eager.js';
import { float64, matMulFloat64 } from '../../tensorflow/ops/float64.js';
import type { ConvolutionGrid } from '../../tensorflow/ops/spectral.js';
import { tf } from '../../tensorflow/tf.js';
import { norm } from './matrix.js';

/** A kernel in float64, HWIO, with the batch normalization behind it taken in. */
export interface ConvolutionKernel {
  readonly rows: number;
  readonly columns: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly values: Float64Array;
}

/** The kernel of a convolution layer, each output channel times the scale of its batch normalization in evaluation mode. */
export function scaledKernel(weights: Weights, { kernel, normalization }: ConvLayer): ConvolutionKernel {
  const tensor = weight<tf.Tensor4D>(weights, kernel);
  const [rows, columns, inputs, outputs] = tensor.shape;
  const values = Float64Array.from(tensor.dataSync<'float32'>());
  if (normalization !== undefined) {
    const variance = weight(weights, normalization.variance).dataSync();
    const scale = weight(weights, normalization.scale).dataSync();
    for (let i = 0; i < values.length; i++) {
      const o = i % outputs;
      values[i]! *= scale[o]! / Math.sqrt(variance[o]! + normalization.epsilon);
    }
  }
  return { rows, columns, inputs, outputs, values };
}

/** The largest matrix that is built where the stride does not divide the size. */
const MOST = 2 ** 22;

/**
 * σ of a convolution from above, by what is proved of its frequencies (`exactSigma`): within 10⁻⁵ of it with circular padding.
 *
 * With zeros beyond the edge, the layer is a part of the circular convolution on an image that has as many zeros more as the kernel
 * reaches over the edge, so σ of that one is a bound, and close to it on all but small images.
 *
 * @returns undefined without the native runtime, and where the stride does not divide the size of a large image
 */
export function sigmaOf(kernel: ConvolutionKernel, layer: Pick<ConvLayer, 'inputSize' | 'stride' | 'padding'>) {
  if (!hasNative()) return undefined;
  const { stride, padding } = layer;
  const sides = [kernel.rows, kernel.columns] as const;
  const [height, width] = layer.inputSize.map((size, axis) => {
    if (padding === 'circular') return size;
    const before = Math.floor((sides[axis]! - 1) / 2);
    return stride * Math.ceil((size + Math.max(before, sides[axis]! - 1 - before)) / stride);
  }) as [number, number];
  if (height % stride !== 0 || width % stride !== 0) {
    const size =
      height * width * kernel.inputs * Math.ceil(height / stride) * Math.ceil(width / stride) * kernel.outputs;
    if (size > MOST) return undefined;
  }
  return sigmaOn(kernel, { height, width, stride });
}

/** σ of the circular convolution from above. What float32 takes off the kernel is added, by its Frobenius norm. */
function sigmaOn({ rows, columns, inputs, outputs, values }: ConvolutionKernel, grid: ConvolutionGrid): number {
  if (!values.every(Number.isFinite)) return Number.NaN;
  const kernel = tf.tensor4d(Float32Array.from(values), [rows, columns, inputs, outputs]);
  const { sigma, bound } = exactSigma(kernel, grid);
  kernel.dispose();
  return (sigma + bound) * (1 + 2 ** -22) + Math.sqrt(rows * columns) * 2 ** -24 * norm(values);
}

/**
 * A bound on the Lipschitz constant, in ℓ2, of a block whose branch is a convolution A, a ReLU and a convolution B beside a shortcut S:
 * as relu(z) = z/2 + |z|/2, it is ‖S + BA/2‖ + ‖B‖‖A‖/2, never above the plain ‖S‖ + ‖B‖‖A‖. S + BA/2 is a circular convolution,
 * whose σ is that of its own kernel.
 *
 * @param norms ‖A‖ and ‖B‖
 * @returns undefined for a block of another kind, for padding with zeros, and without the native runtime
 */
export function jointNorm(
  weights: Weights,
  branches: readonly (readonly Part[])[],
  norms: (layer: Layer) => number,
): number | undefined {
  if (!hasNative() || branches.length !== 2) return undefined;
  const [branch, shortcut] = branches[0]!.length === 3 ? branches : [branches[1]!, branches[0]!];
  const [a, relu, b] = branch as readonly Part[];
  if (branch!.length !== 3 || a?.kind !== 'conv' || b?.kind !== 'conv') return undefined;
  if (relu?.kind !== 'bounded' || relu.activation !== 'relu') return undefined;
  const aside = shortcut![0];
  if (shortcut!.length > 1 || (aside !== undefined && aside.kind !== 'conv')) return undefined;
  const all = [a, b, ...(aside ? [aside] : [])];
  const divided = a.inputSize.every((size) => size % a.stride === 0);
  if (b.stride !== 1 || !divided || all.some(({ padding }) => padding !== 'circular')) return undefined;
  if (aside !== undefined && aside.stride !== a.stride) return undefined;

  const [first, second] = [scaledKernel(weights, a), scaledKernel(weights, b)];
  const whole = composed(first, second, a.stride);
  for (let i = 0; i < whole.values.length; i++) whole.values[i]! /= 2;
  addShortcut(whole, [first, second], a.stride, aside && scaledKernel(weights, aside));
  const [height, width] = a.inputSize;
  return sigmaOn(whole, { height, width, stride: a.stride }) + (norms(a) * norms(b)) / 2;
}

/** The kernel of `first`, at its stride, and `second` behind it at stride 1. Tap t of the second moves the first by t · stride. */
function composed(first: ConvolutionKernel, second: ConvolutionKernel, stride: number): ConvolutionKernel {
  const [rows, columns] = [(second.rows - 1) * stride + first.rows, (second.columns - 1) * stride + first.columns];
  const { inputs } = first;
  const { inputs: between, outputs } = second;
  const values = new Float64Array(rows * columns * inputs * outputs);
  const left = float64(first.values, [first.rows * first.columns * inputs, between]);
  for (let r = 0; r < second.rows; r++) {
    for (let c = 0; c < second.columns; c++) {
      const from = (r * second.columns + c) * between * outputs;
      const right = float64(second.values.slice(from, from + between * outputs), [between, outputs]);
      const product = matMulFloat64(left, right);
      const found = product.values();
      for (const matrix of [right, product]) matrix.dispose();
      for (let i = 0; i < first.rows; i++) {
        for (let j = 0; j < first.columns; j++) {
          const part = found.subarray((i * first.columns + j) * inputs * outputs).subarray(0, inputs * outputs);
          const to = ((r * stride + i) * columns + c * stride + j) * inputs * outputs;
          for (let at = 0; at < part.length; at++) values[to + at]! += part[at]!;
        }
      }
    }
  }
  left.dispose();
  return { rows, columns, inputs, outputs, values };
}

/** Adds a shortcut, or the identity, at the tap of the composed kernel that meets the output's own place. */
function addShortcut(
  { columns, inputs, outputs, values }: ConvolutionKernel,
  [first, second]: readonly [ConvolutionKernel, ConvolutionKernel],
  stride: number,
  aside: ConvolutionKernel | undefined,
): void {
  const half = (size: number): number => Math.floor((size - 1) / 2);
  const [up, left] = [
    half(second.rows) * stride + half(first.rows),
    half(second.columns) * stride + half(first.columns),
  ];
  const shortcut = aside ?? { rows: 1, columns: 1, inputs, outputs, values: identity(inputs) };
  for (let r = 0; r < shortcut.rows; r++) {
    for (let c = 0; c < shortcut.columns; c++) {
      const [row, column] = [up + r - half(shortcut.rows), left + c - half(shortcut.columns)];
      const [to, from] = [row * columns + column, r * shortcut.columns + c].map((tap) => tap * inputs * outputs);
      for (let i = 0; i < inputs * outputs; i++) values[to! + i]! += shortcut.values[from! + i]!;
    }
  }
}

const identity = (n: number): Float64Array => Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
