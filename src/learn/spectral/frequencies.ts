import type { ConvolutionGrid, Wave } from '../../tensorflow/ops/spectral.js';
import { tf } from '../../tensorflow/tf.js';

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

/**
 * P(ω)ᵀ at the frequencies of `half`, complex64 [frequencies, phases · in, out]: the transform of a small kernel is a product with
 * as many waves as it has positions.
 */
export function blocks(kernel: tf.Tensor4D, grid: ConvolutionGrid): tf.Tensor {
  const [rows, columns, inputs, outputs] = kernel.shape;
  const { half, phases, turns } = frequencies(grid, [rows, columns]);
  return tf.tidy(() => {
    const taps = tf.reshape(kernel, [rows * columns, inputs * outputs]);
    const waves = half.map(turns);
    const parts = phases.map((phase) => {
      const taken = waves[0]!.flatMap((rotation, t) => (rotation.phase === phase ? [t] : []));
      const some = tf.gather(taps, tf.tensor1d(taken, 'int32')) as tf.Tensor2D;
      const [re, im] = (['re', 'im'] as const).map((part) =>
        tf
          .matMul(tf.tensor2d(waves.map((rotation) => taken.map((t) => rotation[t]![part]))), some)
          .reshape([-1, inputs, outputs]),
      ) as [tf.Tensor, tf.Tensor];
      return [re, im] as const;
    });
    const [re, im] = [0, 1].map((part) =>
      tf.concat(
        parts.map((both) => both[part]!),
        1,
      ),
    ) as [tf.Tensor, tf.Tensor];
    return tf.complex(re, im);
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
