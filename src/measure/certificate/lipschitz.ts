import { WeirError } from '../../flow/errors.js';
import {
  type ByNorm,
  type ConvLayer,
  type Layer,
  type Model,
  type norms,
  type Padding,
  type Part,
  type Weights,
  weight,
} from '../../learn/model/model.js';
import { tf } from '../../tensorflow/tf.js';
import { type ConvolutionKernel, jointNorm, scaledKernel, sigmaOf } from './exact-norms.js';

/**
 * Upper bounds on the norms of y = xW induced by ℓp on both sides, for a kernel [in, out]. p = 1: the largest absolute sum over the outputs
 * of an input. p = ∞: the largest over the inputs of an output. p = 2: σ.
 *
 * The sums are taken in float64; σ is rounded as in `sigmaAtMost`.
 */
function denseNorms(kernel: tf.Tensor2D): ByNorm<number> {
  const [inputs, outputs] = kernel.shape;
  const values = kernel.dataSync<'float32'>();
  const columns = new Float64Array(outputs);
  let l1 = 0;
  for (let i = 0, at = 0; i < inputs; i++) {
    let row = 0;
    for (let o = 0; o < outputs; o++, at++) {
      const size = Math.abs(values[at]!);
      row += size;
      columns[o]! += size;
    }
    l1 = Math.max(l1, row);
  }
  return { l1, l2: sigmaAtMost(kernel), linf: Math.max(...columns) };
}

/** How far above σ the bound may end, as a part of σ. */
const EXCESS = 1e-7;

/**
 * σ from above (power iteration gives it from below): for the Gram matrix G = WᵀW or WWᵀ, σ² = λ_max(G) ≤ ‖G^m‖_F^(1/m), m = 1, 2, 4, …
 * by squaring. The excess at each m is known, for ‖A‖_F = 1 gives λ_max(A) ≥ ‖A²‖_F; it stops below 10⁻⁷ of σ.
 *
 * The products are rounded to float32. Errors of the first product count for half, and those of each later one for half as much as the one
 * before. That is some 10⁻⁷ of σ for the layers here, and not bounded by a proof. A caller that needs a safe bound adds a margin.
 */
export function sigmaAtMost(kernel: tf.Tensor2D): number {
  const [rows, columns] = kernel.shape;
  let power: tf.Tensor2D = tf.matMul(kernel, kernel, rows > columns, rows <= columns); // G^m e^(−logarithm)
  let logarithm = 0;
  for (let m = 1; ; m *= 2) {
    const size = frobenius(power);
    if (!(size > 0)) {
      power.dispose();
      return size; // 0, or NaN
    }
    const before = power;
    power = tf.tidy(() => {
      const unit = tf.div(before, size) as tf.Tensor2D;
      return tf.matMul(unit, unit);
    });
    before.dispose();
    logarithm += Math.log(size);
    const excess = -Math.log(frobenius(power)) / (2 * m); // of the logarithm of σ
    if (!(excess > EXCESS)) {
      power.dispose();
      return Math.exp(logarithm / (2 * m));
    }
    logarithm *= 2;
  }
}

function frobenius(matrix: tf.Tensor2D): number {
  const size = tf.norm(matrix);
  const [value] = size.dataSync<'float32'>();
  size.dispose();
  return value!;
}

/** Which rows (or columns) of a kernel meet an input along one axis of an image; sets that are equal are listed once. */
export interface KernelTaps {
  /** For each place of the output, the taps that meet an input. */
  readonly ofOutput: readonly (readonly number[])[];
  /** For each place of the input, the taps by which it meets an output. */
  readonly ofInput: readonly (readonly number[])[];
}

/**
 * The output at o sees the input at o·stride + tap − ⌊(taps − 1)/2⌋, for ⌈size/stride⌉ outputs; beyond the edge there are the
 * opposite inputs, or nothing.
 *
 * @param taps length of the kernel along the axis; for circular padding at most `size` (`folded`)
 */
function tapsAlong(size: number, taps: number, stride: number, padding: Padding, before: number): KernelTaps {
  const ofInput: number[][] = Array.from({ length: size }, () => []);
  const ofOutput: number[][] = [];
  for (let o = 0; o < Math.ceil(size / stride); o++) {
    const met: number[] = [];
    for (let tap = 0; tap < taps; tap++) {
      const at = o * stride + tap - before;
      const input = padding === 'circular' ? ((at % size) + size) % size : at;
      if (input < 0 || input >= size) continue;
      met.push(tap);
      ofInput[input]!.push(tap);
    }
    ofOutput.push(met);
  }
  return { ofOutput: distinct(ofOutput), ofInput: distinct(ofInput) };
}

const distinct = (sets: readonly number[][]): readonly number[][] => [
  ...new Map(sets.map((set) => [set.join(), set])).values(),
];

/** The kernel with, for circular padding, the taps that meet the same input, in a kernel larger than its image, added up. */
export function folded(kernel: ConvolutionKernel, { inputSize, padding }: Pick<ConvLayer, 'inputSize' | 'padding'>) {
  const { inputs, outputs, values } = kernel;
  const rows = padding === 'circular' ? Math.min(kernel.rows, inputSize[0]) : kernel.rows;
  const columns = padding === 'circular' ? Math.min(kernel.columns, inputSize[1]) : kernel.columns;
  const sums = new Float64Array(rows * columns * inputs * outputs);
  for (let r = 0, at = 0; r < kernel.rows; r++) {
    for (let c = 0; c < kernel.columns; c++) {
      const to = ((r % rows) * columns + (c % columns)) * inputs * outputs;
      for (let i = 0; i < inputs * outputs; i++, at++) sums[to + i]! += values[at]!;
    }
  }
  return { rows, columns, inputs, outputs, values: sums };
}

/**
 * An upper bound on σ of a convolution, for any padding, stride and size, from two matrices made of its kernel (Tsuzuku et al. 2018, Singla
 * and Feizi 2021). σ ≤ σ(R)·√m, R of [rows · columns · in, out]: an output is R applied to its patch, and an input lies in m patches. σ ≤
 * σ(T)·√n, T of [in, rows · columns · out], by the transposed convolution, where an output sees n taps. The bound exceeds σ by up to √m and
 * √n: 3 for a 3 × 3 kernel.
 */
function convSigmaAtMost(
  { values, rows, columns, inputs, outputs }: ConvolutionKernel,
  along: KernelTaps,
  across: KernelTaps,
): number {
  const most = (sets: readonly (readonly number[])[]): number => Math.max(...sets.map((set) => set.length));
  const kernel = tf.tensor3d(Float32Array.from(values), [rows * columns, inputs, outputs]);
  const R = tf.reshape(kernel, [rows * columns * inputs, outputs]) as tf.Tensor2D;
  const T = tf.tidy(() => tf.reshape(tf.transpose(kernel, [1, 0, 2]), [inputs, -1]) as tf.Tensor2D);
  const [r, t] = [sigmaAtMost(R), sigmaAtMost(T)];
  tf.dispose([kernel, R, T]);
  return Math.min(
    r * Math.sqrt(most(along.ofInput) * most(across.ofInput)),
    t * Math.sqrt(most(along.ofOutput) * most(across.ofOutput)),
  );
}

/**
 * Upper bounds on the norms of a convolution layer induced by ℓp on both sides. A batch normalization behind it counts by its scales in
 * evaluation mode.
 *
 * p = 1 and p = ∞ are the largest absolute sums over the outputs that an input reaches and over the inputs that an output sees, exact
 * for the layer's own padding and size, in float64. p = 2 is σ from its frequencies (`sigmaOf`); where that is not to be had, the bound of
 * `convSigmaAtMost`, or √(p = 1 · p = ∞) (Riesz and Thorin) where it is smaller.
 */
export function convNorms(weights: Weights, layer: ConvLayer): ByNorm<number> {
  const kernel = scaledKernel(weights, layer);
  const whole = folded(kernel, layer);
  const [along, across] = ([0, 1] as const).map((axis) =>
    tapsAlong(
      layer.inputSize[axis],
      axis === 0 ? whole.rows : whole.columns,
      layer.stride,
      layer.padding,
      Math.floor(((axis === 0 ? kernel.rows : kernel.columns) - 1) / 2),
    ),
  ) as [KernelTaps, KernelTaps];
  const l1 = largestSum(whole, along.ofInput, across.ofInput, 'input');
  const linf = largestSum(whole, along.ofOutput, across.ofOutput, 'output');
  const exact = sigmaOf(kernel, layer);
  return { l1, l2: Math.min(exact ?? convSigmaAtMost(whole, along, across), Math.sqrt(l1 * linf)), linf };
}

/** The largest sum of |kernel| over a set of rows, a set of columns and the other side's channels, for one channel of `side`. */
function largestSum(
  { rows, columns, inputs, outputs, values }: ConvolutionKernel,
  rowSets: readonly (readonly number[])[],
  columnSets: readonly (readonly number[])[],
  side: 'input' | 'output',
): number {
  const channels = side === 'input' ? inputs : outputs;
  const sums = new Float64Array(rows * columns * channels); // over the other side's channels, by tap
  for (let tap = 0, at = 0; tap < rows * columns; tap++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++, at++) {
        sums[tap * channels + (side === 'input' ? i : o)]! += Math.abs(values[at]!);
      }
    }
  }
  let largest = 0;
  for (const down of rowSets) {
    for (const over of columnSets) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (const r of down) for (const c of over) sum += sums[(r * columns + c) * channels + channel]!;
        largest = Math.max(largest, sum);
      }
    }
  }
  return largest;
}

/** Part by which every constant is raised: float32 rounds in the network and in σ. */
export const ROUNDING = 1e-5;

/**
 * A Lipschitz constant L of the feature map in each norm: ‖Φ(a) − Φ(b)‖_p ≤ L ‖a − b‖_p everywhere, so ‖∇Φ‖_p ≤ L. It is the product of the
 * layers' norms and the activations' largest slopes (paper, A.12, with the true max |φ'|, which for GELU is 1.129 and not 1). Branches that
 * are added have the sum of their constants, in ℓ2 less where they are known together (`jointNorm`). Batch normalization counts by its
 * scales in evaluation mode.
 *
 * It holds for all inputs, and is loose for deep networks. The factors are never all reached at once, so the product grows by orders of
 * magnitude with depth.
 *
 * @throws {WeirError} where the model does not list the layers of its feature map
 */
export function lipschitz(stage: string, model: Model, weights: Weights): ByNorm<number> {
  if (model.parts === undefined) {
    throw new WeirError(
      `stage '${stage}' needs a Lipschitz constant, but ${model.name} does not say what its feature map is made of`,
      'take a model of weir, or give yours its `parts`',
    );
  }
  const found = new Map<Layer, ByNorm<number>>(); // a block asks for those of its layers again
  const norms = (layer: Layer): ByNorm<number> => {
    const known = found.get(layer) ?? layerNorms(weights, layer);
    found.set(layer, known);
    return known;
  };
  const whole = chain(weights, model.parts, norms);
  return byNorm((norm) => whole[norm] * (1 + ROUNDING));
}

/** One number for each norm. */
export const byNorm = <T>(of: (norm: (typeof norms)[number]) => T): ByNorm<T> => ({
  l1: of('l1'),
  l2: of('l2'),
  linf: of('linf'),
});

type Norms = (layer: Layer) => ByNorm<number>;

function chain(weights: Weights, parts: readonly Part[], norms: Norms): ByNorm<number> {
  const each = parts.map((part) => constants(weights, part, norms));
  return byNorm((norm) => each.reduce((product, one) => product * one[norm], 1));
}

function constants(weights: Weights, part: Part, norms: Norms): ByNorm<number> {
  if (part.kind === 'bounded') return part.lipschitz;
  if (part.kind !== 'sum') return norms(part);
  const branches = part.branches.map((branch) => chain(weights, branch, norms));
  const plain = byNorm((norm) => branches.reduce((sum, one) => sum + one[norm], 0));
  const joint = jointNorm(weights, part.branches, (layer) => norms(layer).l2);
  return { ...plain, l2: Math.min(plain.l2, joint ?? plain.l2) };
}

/** Of a linear layer with the factor behind it. */
function layerNorms(weights: Weights, layer: Layer): ByNorm<number> {
  if (layer.kind === 'conv') return convNorms(weights, layer);
  const found = denseNorms(weight<tf.Tensor2D>(weights, layer.kernel));
  const factor = Math.abs(layer.factor ?? 1);
  return byNorm((norm) => found[norm] * factor);
}
