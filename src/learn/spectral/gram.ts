import { WeirError } from '../../flow/errors.js';
import { needsNative } from '../../tensorflow/ops/eager.js';
import type { Certified, ConvolutionGrid } from '../../tensorflow/ops/spectral.js';
import { scoped, tf } from '../../tensorflow/tf.js';
import { type Gradients, type Layer, type Weights, weight } from '../model/model.js';
import { blockParts, type ComplexParts, finite, frequencies, kernelGradient } from './exact.js';
import { folding, type LayerPower, type PowerOptions, type Singular } from './power.js';

/** Real matrices, or complex ones by their parts: [count, rows, columns]. */
type Matrices = readonly [re: tf.Tensor3D] | ComplexParts;

/** Steps that are taken unless told: for a rank of 512 at most 5 % above σ. */
export const gramSteps = 6;

/**
 * The largest upper bound of σ of several matrices by Gram iteration (Delattre et al. 2023, "Efficient bound of Lipschitz constant for
 * convolutional layers by Gram iteration", theorem 1 and algorithm 3).
 *
 * With G₀ = A and G_{i+1} = G_iᴴ G_i the bound after t steps is ‖G_t‖_F^(1/2ᵗ) = (Σ_j σ_j^p)^(1/p), p = 2^(t+1), a Schatten norm: between σ and
 * r^(1/p) σ, r the rank. Every G_i is divided by its Frobenius norm, and the logarithms of these are summed in float64, so nothing overflows.
 *
 * A matrix leaves the search where its bound is below r^(−1/p) times the largest one: that is below σ, and bounds only fall.
 *
 * Rounding: the products are float32. Where the bound is tight, at rank 1 or after many steps, it can therefore fall below σ: by up to
 * (rows + columns) · 2⁻²³ of it, in the tests by 2e-8.
 *
 * @returns the bound, NaN where a matrix is not finite, and the index of its matrix
 */
function gramBound(matrices: Matrices, steps: number): { readonly sigma: number; readonly top: number } {
  return scoped(() => {
    const [, rows, columns] = matrices[0].shape;
    const logRank = Math.log(Math.min(rows, columns));
    const size = largest(matrices);
    if (!(size > 0 && Number.isFinite(size))) return { sigma: size, top: 0 };

    let g = each(matrices, (part) => tf.div(part, size)); // squares of very large and very small values are numbers
    let lengths = frobenius(g);
    if (!lengths.every(Number.isFinite)) return { sigma: Number.NaN, top: 0 };
    let running = [...lengths.keys()];
    let logs = running.map((i) => Math.log(size) + Math.log(lengths[i]!));
    for (let step = 0; step < steps; step++) {
      const least = Math.max(...logs) - logRank / 2 ** (step + 1) - 1e-5; // the last term is for rounding
      const stay = running.map((_, slot) => slot).filter((slot) => logs[slot]! >= least);
      g = gram(unit(taken(g, stay), taken1d(lengths, stay)), step === 0 ? smaller(matrices) : 'right');
      lengths = frobenius(g);
      running = stay.map((slot) => running[slot]!);
      logs = stay.map((slot, i) => logs[slot]! + Math.log(lengths[i]!) / 2 ** (step + 1));
    }
    const best = logs.reduce((best, log, i) => (log <= logs[best]! ? best : i), 0);
    return { sigma: Math.exp(logs[best]!), top: running[best]! };
  });
}

/**
 * The weighing M of all directions of one matrix A by the bound S: tr(A M Aᴴ) = S², and A M is the gradient of S²/2 with respect to A
 * (there, section 3.4: A (AᴴA)^(p/2 − 1) / S^(p − 2)). M is on the side where A is smaller: M A, tr(Aᴴ M A) where that is its rows'.
 *
 * For t → ∞ it is v vᴴ, the projection that power iteration has.
 */
function weighing(a: Matrices, sigma: number, steps: number): Matrices {
  const size = largest(a);
  if (size === 0) return gram(a, smaller(a)); // σ = 0, and no direction counts
  const at = each(a, (part) => tf.div(part, size));
  const [length] = frobenius(at);
  const whole = unit(at, [length!]);
  const side = smaller(a);
  let power = gram(whole, side); // (AᴴA)^(2ⁱ), each by its norm
  power = unit(power, frobenius(power));
  let product = power; // (AᴴA)^(2ⁱ⁺¹ − 1)
  for (let step = 1; step < steps; step++) {
    power = gram(power, 'right');
    power = unit(power, frobenius(power));
    product = times(product, power);
    product = unit(product, frobenius(product));
  }
  const scale = (sigma / size / length!) ** 2 / inner(whole, weighed(whole, product, side));
  return each(product, (part) => tf.mul(part, scale));
}

/** A M or M A. */
const weighed = (a: Matrices, m: Matrices, side: Side): Matrices => (side === 'right' ? times(a, m) : times(m, a));

/** Of AᴴA and A Aᴴ the smaller one: 'right' is AᴴA, [columns, columns]. */
type Side = 'left' | 'right';

const smaller = ([{ shape }]: Matrices): Side => (shape[1] < shape[2] ? 'left' : 'right');

/** AᴴA or A Aᴴ, by three real products where A is complex: it is Hermitian. */
function gram(a: Matrices, side: Side): Matrices {
  const right = side === 'right';
  const [re, im] = a;
  if (im === undefined) return [tf.matMul(re, re, right, !right)];
  const both = tf.concat([re, im], right ? 1 : 2);
  const mixed = right ? tf.matMul(re, im, true) : tf.matMul(im, re, false, true);
  return [tf.matMul(both, both, right, !right), tf.sub(mixed, tf.transpose(mixed, [0, 2, 1]))];
}

function times([a, b]: Matrices, [c, d]: Matrices): Matrices {
  if (b === undefined || d === undefined) return [tf.matMul(a, c)];
  return [
    tf.sub(tf.matMul(a, c), tf.matMul(b, d)) as tf.Tensor3D,
    tf.add(tf.matMul(a, d), tf.matMul(b, c)) as tf.Tensor3D,
  ];
}

const each = (x: Matrices, work: (part: tf.Tensor3D) => tf.Tensor): Matrices => x.map(work) as unknown as Matrices;

const taken = (x: Matrices, slots: readonly number[]): Matrices =>
  x[0].shape[0] === slots.length ? x : each(x, (part) => tf.gather(part, tf.tensor1d([...slots], 'int32')));

const taken1d = (x: Float32Array, slots: readonly number[]): number[] => slots.map((slot) => x[slot]!);

/** Each by its length; a matrix of zeros stays. */
const unit = (x: Matrices, lengths: ArrayLike<number>): Matrices => {
  const by = tf.tensor3d(
    Array.from(lengths, (length) => (length === 0 ? 1 : length)),
    [lengths.length, 1, 1],
  );
  return each(x, (part) => tf.div(part, by));
};

/** ‖·‖_F of each. */
function frobenius(x: Matrices): Float32Array {
  const squares = x.map((part) => tf.sum(tf.square(part), [1, 2]));
  return tf.sqrt(tf.addN(squares)).dataSync<'float32'>().slice();
}

const largest = (x: Matrices): number => Math.max(...x.map((part) => tf.max(tf.abs(part)).dataSync()[0]!));

/** Re Σ conj(x) y. */
const inner = (x: Matrices, y: Matrices): number =>
  x.reduce((sum, part, i) => sum + tf.sum(tf.mul(part, y[i]!)).dataSync()[0]!, 0);

/** The matrices of a layer's linear map for a kernel of that shape, and the way back from a gradient at one of them. */
interface Decomposition {
  /** The frequencies, each with a matrix; a dense layer has one. */
  readonly frequencies: readonly number[];
  /** All matrices, or that of one frequency. */
  matrices(kernel: tf.Tensor, at?: number): Matrices;
  gradient(ofMatrix: Matrices, at: number): tf.Tensor;
}

function decomposed(layer: Layer, grid: ConvolutionGrid | undefined, shape: readonly number[]): Decomposition {
  if (grid === undefined || layer.kind === 'dense') {
    return {
      frequencies: [0],
      matrices: (kernel) => [tf.reshape(kernel, [1, shape[0]!, shape[1]!])],
      gradient: ([re]) => tf.reshape(re, shape as [number, number]),
    };
  }
  needsNative('σ of a convolution');
  const whole = layer.padding === 'zero' ? enclosing(grid, shape) : grid;
  const { half } = frequencies(whole, shape);
  return {
    frequencies: half,
    matrices: (kernel, at) => blockParts(kernel as tf.Tensor4D, whole, at === undefined ? half : [at]),
    gradient: (parts, at) => kernelGradient(parts as ComplexParts, whole, at, shape),
  };
}

/**
 * A convolution that pads with zeros is a part of a circular one on a larger image, where its kernel never reaches around: its σ is not
 * larger. So the bound holds for zero padding too (Delattre et al. 2024, "Spectral norm of convolutional layers with circular and
 * zero paddings", have another one, from the size of the input alone).
 */
export function enclosing({ height, width, stride }: ConvolutionGrid, shape: readonly number[]): ConvolutionGrid {
  const whole = (length: number, taps: number): number => Math.ceil((length + taps - 1) / stride) * stride;
  return { height: whole(height, shape[0]!), width: whole(width, shape[1]!), stride };
}

/**
 * The bound of one layer. `bound` of the result is what rounding may have taken from it: see `gramBound`.
 *
 * @throws {WeirError} for a kernel that is not finite, and for a circular convolution whose stride does not divide the size of its input
 */
export function gramSigma(layer: Layer, weights: Weights, steps = gramSteps): Certified {
  const kernel = weight(weights, layer.kernel);
  return scoped(() => {
    const matrices = decomposed(layer, gridOf(layer), kernel.shape).matrices(kernel);
    const [, rows, columns] = matrices[0].shape;
    const sigma = finite(gramBound(matrices, steps).sigma, layer.name);
    return { sigma, bound: sigma * (rows + columns) * 2 ** -23 };
  });
}

function gridOf(layer: Layer): ConvolutionGrid | undefined {
  if (layer.kind === 'dense') return undefined;
  const { name, stride, padding } = layer;
  const [height, width] = layer.inputSize;
  if (padding === 'zero' || (height % stride === 0 && width % stride === 0)) return { height, width, stride };
  throw new WeirError(
    `Gram iteration does not know layer '${name}', a circular convolution with stride ${stride} on ${height} × ${width}`,
    "take estimator: 'exact', or images of a size that the stride divides",
  );
}

/**
 * A layer by Gram iteration: σ of a `Singular` is the upper bound S, and the gradient that of S²/2.
 *
 * A tick finds S and its weighing M of all directions, which takes the place of v vᴴ: `square` is tr(A M Aᴴ) for the matrix A of the frequency with the
 * largest bound, and `addGradients` adds the gradient with M held constant, A M. On the weights of the tick both are exact, S² and ∂S²/2.
 *
 * `state` of a `Singular` is M, [parts, k, k] with k the smaller side of A; u and v are empty, for all directions count.
 *
 * @param grid of a convolution
 */
export function gramPower(
  layer: Layer,
  grid: ConvolutionGrid | undefined,
  { iterations, foldNormalization }: Pick<PowerOptions, 'iterations' | 'foldNormalization'>,
): LayerPower {
  const folds = layer.kind === 'conv' ? folding(layer, foldNormalization) : undefined;
  const kernelOf = (weights: Weights): tf.Tensor => folds?.kernel(weights) ?? weight(weights, layer.kernel);

  const begin = (weights: Weights): Singular =>
    scoped(() => {
      const kernel = kernelOf(weights);
      const map = decomposed(layer, grid, kernel.shape);
      const { sigma, top } = gramBound(map.matrices(kernel), iterations);
      finite(sigma, layer.name);
      const frequency = map.frequencies[top]!;
      const m = weighing(map.matrices(kernel, frequency), sigma, iterations);
      const state = tf
        .stack([...m])
        .dataSync<'float32'>()
        .slice();
      return { sigma, u: new Float32Array(0), v: new Float32Array(0), frequency, state };
    });

  /** A at the frequency of the tick, and A M, on the weights as they are now. */
  const directed = (weights: Weights, { frequency = 0, state = new Float32Array(0) }: Singular) => {
    const kernel = kernelOf(weights);
    const map = decomposed(layer, grid, kernel.shape);
    const a = map.matrices(kernel, frequency);
    const [, rows, columns] = a[0].shape;
    const k = Math.min(rows, columns);
    const m = tf.unstack(tf.tensor4d(state, [a.length, 1, k, k])) as unknown as Matrices;
    return { map, a, image: weighed(a, m, smaller(a)), frequency };
  };

  return {
    layer,
    begin,
    iterate: begin,
    square: (weights, singular) =>
      scoped(() => {
        const { a, image } = directed(weights, singular);
        return inner(a, image);
      }),
    addGradients(weights, singular, strength, gradients) {
      const gradient = tf.tidy(() => {
        const { map, image, frequency } = directed(weights, singular);
        return tf.mul(map.gradient(image, frequency), strength);
      });
      if (folds !== undefined) folds.addFolded(weights, gradient, gradients);
      else addKernel(gradients, layer.kernel, gradient);
    },
  };
}

function addKernel(gradients: Gradients, name: string, added: tf.Tensor): void {
  const old = gradients.get(name)!;
  gradients.set(name, tf.add(old, added));
  tf.dispose([old, added]);
}
