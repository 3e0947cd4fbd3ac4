import { WeirError } from '../../flow/errors.js';
import { hasNative, needsNative } from '../../tensorflow/ops/eager.js';
import { hasFused } from '../../tensorflow/ops/fused.js';
import {
  type Certified,
  type ConvolutionGrid,
  provenSigma,
  singularValues,
  svd,
  type Wave,
} from '../../tensorflow/ops/spectral.js';
import { scoped, tf } from '../../tensorflow/tf.js';

/**
 * The frequencies of a circular convolution. At each, the layer is one complex matrix P(ω) of [out, stride² · in] (paper, appendix
 * B; code block 1); P(−ω) is the conjugate of P(ω), so half of them suffice. A kernel no larger than the stride has one P for all.
 */
export interface Frequencies {
  /** The half that is needed, as row · (width/stride) + column. */
  readonly half: readonly number[];
  /** Positions within a stride that the kernel reaches, as row · stride + column; nothing depends on the others. */
  readonly phases: readonly number[];
  /** e^{iω·⌊(i, j)/stride⌋} for each position (i, j) of the kernel, row-major. */
  turns(frequency: number): readonly { readonly phase: number; readonly re: number; readonly im: number }[];
}

/** @param size rows and columns of the kernel */
export function frequencies(
  { height, width, stride }: ConvolutionGrid,
  [kernelRows, kernelColumns]: readonly number[],
): Frequencies {
  const [outRows, outColumns] = [height / stride, width / stride];
  const rows = kernelRows! > stride ? outRows : 1;
  const columns = kernelColumns! > stride ? outColumns : 1;
  const half: number[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const opposite = ((rows - i) % rows) * columns + ((columns - j) % columns);
      if (i * columns + j <= opposite) half.push(i * outColumns + j);
    }
  }
  const phases = range(stride * stride).filter(
    (phase) => Math.floor(phase / stride) < kernelRows! && phase % stride < kernelColumns!,
  );
  return {
    half,
    phases,
    turns(frequency) {
      const [row, column] = [Math.floor(frequency / outColumns), frequency % outColumns];
      return range(kernelRows! * kernelColumns!).map((at) => {
        const [i, j] = [Math.floor(at / kernelColumns!), at % kernelColumns!];
        const off = (row * Math.floor(i / stride)) / outRows + (column * Math.floor(j / stride)) / outColumns;
        const angle = 2 * Math.PI * off;
        return { phase: (i % stride) * stride + (j % stride), re: Math.cos(angle), im: Math.sin(angle) };
      });
    },
  };
}

/**
 * The wave at the inputs of one output: [2, rows · columns · in], real then imaginary. For a
 * kernel W of [rows · columns · in, out] and this patch p, σ = ‖p W‖: a convolution's regularizer is that of a dense layer.
 */
export function patch(
  { frequency, amplitudes }: Wave,
  grid: ConvolutionGrid,
  [rows, columns, inputs]: readonly number[],
): Float32Array {
  const turns = frequencies(grid, [rows!, columns!]).turns(frequency);
  const part = grid.stride * grid.stride * inputs!;
  const length = turns.length * inputs!;
  const patch = new Float32Array(2 * length);
  turns.forEach(({ phase, re, im }, t) => {
    for (let c = 0; c < inputs!; c++) {
      const [x, y] = [amplitudes[phase * inputs! + c]!, amplitudes[part + phase * inputs! + c]!];
      patch[t * inputs! + c] = re * x - im * y;
      patch[length + t * inputs! + c] = re * y + im * x;
    }
  });
  return patch;
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Complex matrices as their real and imaginary parts, [count, rows, columns]. */
export type ComplexParts = readonly [re: tf.Tensor3D, im: tf.Tensor3D];

/**
 * P(ω)ᵀ at some frequencies: [frequencies, phases · in, out]. The transform of a small kernel is a product
 * with as many waves as it has positions.
 */
export function blockParts(kernel: tf.Tensor4D, grid: ConvolutionGrid, at: readonly number[]): ComplexParts {
  const [rows, columns, inputs, outputs] = kernel.shape;
  const { phases, turns } = frequencies(grid, [rows, columns]);
  return tf.tidy(() => {
    const taps = tf.reshape(kernel, [rows * columns, inputs * outputs]);
    const waves = at.map(turns);
    const parts = phases.map((phase) => {
      const taken = waves[0]!.flatMap((rotation, t) => (rotation.phase === phase ? [t] : []));
      const some = tf.gather(taps, tf.tensor1d(taken, 'int32')) as tf.Tensor2D;
      return (['re', 'im'] as const).map((part) =>
        tf
          .matMul(tf.tensor2d(waves.map((rotation) => taken.map((t) => rotation[t]![part]))), some)
          .reshape([-1, inputs, outputs]),
      );
    });
    return [0, 1].map((part) =>
      tf.concat(
        parts.map((both) => both[part]!),
        1,
      ),
    ) as tf.Tensor[] as [tf.Tensor3D, tf.Tensor3D];
  });
}

/** The same as complex64 [frequencies, phases · in, out], at those of `half`. */
export const blocks = (kernel: tf.Tensor4D, grid: ConvolutionGrid): tf.Tensor =>
  tf.tidy(() => tf.complex(...blockParts(kernel, grid, frequencies(grid, kernel.shape).half)));

/**
 * The gradient with respect to a kernel, of its shape, where that with respect to P(ω)ᵀ at one frequency is D, [1, phases · in, out]:
 * tap t has Re(e^{−iωt} D) of its phase.
 */
export function kernelGradient(
  [re, im]: ComplexParts,
  grid: ConvolutionGrid,
  frequency: number,
  shape: readonly number[],
): tf.Tensor4D {
  const [rows, columns, inputs, outputs] = shape as [number, number, number, number];
  const { phases, turns } = frequencies(grid, [rows, columns]);
  const waves = turns(frequency);
  return tf.tidy(() => {
    const slots = tf.tensor1d(
      waves.map(({ phase }) => phases.indexOf(phase)),
      'int32',
    );
    const turned = (part: tf.Tensor3D, by: readonly number[]): tf.Tensor =>
      tf.mul(
        tf.gather(tf.reshape(part, [phases.length, inputs * outputs]), slots),
        tf.tensor2d([...by], [by.length, 1]),
      );
    const sum = tf.add(
      turned(
        re,
        waves.map((wave) => wave.re),
      ),
      turned(
        im,
        waves.map((wave) => wave.im),
      ),
    );
    return tf.reshape(sum, [rows, columns, inputs, outputs]);
  });
}

/** One vector on the inputs that the kernel reaches, real then imaginary, as the amplitudes of a wave: [2, stride², in]. */
export function amplitudesOf(
  vector: Float32Array,
  { stride }: ConvolutionGrid,
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

/**
 * σ by singular value decomposition of every block, with TensorFlow's own operations: on a GPU, or where the binding has no kernels
 * of ours. float32; the bound is the rounding of a stable decomposition, (rows + columns) · 2⁻²³ of σ, and not proved.
 */
export function decomposedSigma(kernel: tf.Tensor4D, grid: ConvolutionGrid): Certified & Wave {
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
      sigma,
      bound: sigma * (rows + columns) * 2 ** -23,
      frequency: half[top]!,
      amplitudes: amplitudesOf(vector, grid, phases, inputs),
    };
  });
}

/** The size of the largest matrix that is built: 256 MiB. */
const most = 2 ** 26;

/**
 * The matrix of a circular convolution, [height · width · in, outRows · outColumns · out], for any size and stride: output (a, b) reads
 * input (a · stride + i − ⌊(rows − 1)/2⌋) modulo height for the kernel's row i, and so on. Taps on the same input are added.
 *
 * @throws {WeirError} where it would be too large
 */
function unrolled(kernel: tf.Tensor4D, { height, width, stride }: ConvolutionGrid): tf.Tensor2D {
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

/** The exact largest singular value: it lies within sigma and sigma + bound. */
export interface ExactSigma extends Certified {
  /**
   * Where the stride divides the size: the frequency, and its wave as one output's kernel meets it, [2, rows · columns · in] (see
   * `patch`), so that ∂σ²/∂W = 2 · patchᵀ (patch W) for the kernel as a matrix W of [rows · columns · in, out].
   */
  readonly wave?: { readonly frequency: number; readonly patch: Float32Array };
}

export interface ExactOptions {
  /** How far above the value the bound may lie, as a part of it. */
  readonly tolerance?: number;
  /** The first frequency to search: that of the last σ. */
  readonly from?: number;
  /** Name for messages. */
  readonly layer?: string;
}

/**
 * The largest singular value of a strided, circularly padded convolution over its input (paper, appendix B and code block 1, which
 * gives its square), with a bound: on the CPU proved in float64 (kernels/spectral.cc).
 *
 * Sizes need not be square, and a kernel may be larger than its input: its taps wrap around. Where the stride does not divide the
 * size, no Fourier transform makes the operator block-diagonal, so its matrix is built; its padding is ⌊(size − 1)/2⌋ before the image.
 *
 * @param kernel HWIO; only read
 * @throws {WeirError} for a kernel that is not finite, for a matrix that is too large, and without the native runtime
 */
export function exactSigma(
  kernel: tf.Tensor4D,
  { height, width, stride }: ConvolutionGrid,
  { tolerance = 1e-6, from = 0, layer }: ExactOptions = {},
): ExactSigma {
  needsNative('σ of a convolution');
  if (height % stride !== 0 || width % stride !== 0) {
    const options = { tolerance, ...(layer && { layer }) };
    const { sigma, bound } = scoped(() => exactDense(unrolled(kernel, { height, width, stride }), options));
    return { sigma, bound };
  }
  const grid = { height, width, stride };
  const { sigma, bound, frequency, amplitudes } = hasFused()
    ? provenSigma(kernel, grid, { tolerance, from })
    : decomposedSigma(kernel, grid);
  return {
    sigma: finite(sigma, layer),
    bound,
    wave: { frequency, patch: patch({ frequency, amplitudes }, grid, kernel.shape) },
  };
}

/** The same of a dense layer's kernel, [in, out]: a convolution on one pixel. Without the native runtime by Jacobi rotations. */
export function exactDense(kernel: tf.Tensor2D, options: ExactOptions = {}): ExactSigma {
  const [rows, columns] = kernel.shape;
  if (hasNative()) {
    return scoped(() =>
      exactSigma(
        tf.reshape(kernel, [1, 1, rows, columns]),
        { height: 1, width: 1, stride: 1 },
        { ...options, from: 0 },
      ),
    );
  }
  const { s, u, v } = svd(kernel);
  const sigma = finite(s.dataSync()[0]!, options.layer);
  const patch = new Float32Array(2 * rows);
  const values = u.dataSync<'float32'>();
  for (let i = 0; i < rows; i++) patch[i] = values[i * u.shape[1]!]!;
  tf.dispose([s, u, v]);
  return { sigma, bound: sigma * (rows + columns) * 2 ** -23, wave: { frequency: 0, patch } };
}

/** @throws {WeirError} where σ is not a number */
export function finite(sigma: number, layer?: string): number {
  if (Number.isFinite(sigma)) return sigma;
  throw new WeirError(
    `${layer === undefined ? 'a kernel' : `the kernel of layer '${layer}'`} is not finite: it has no spectral norm`,
    'training diverged: take a smaller learning rate or γ, and go on from the last snapshot',
  );
}
