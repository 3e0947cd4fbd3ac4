import { keyed } from '../../flow/random.js';
import { needsNative } from '../../tensorflow/ops/eager.js';
import { hasFused } from '../../tensorflow/ops/fused.js';
import {
  addStretchGradient,
  batchMatMul,
  type ConvolutionGrid,
  type KrylovSize,
  krylovAtFrequencies,
  svd,
  thinProduct,
  type Wave,
} from '../../tensorflow/ops/spectral.js';
import { scoped, tf } from '../../tensorflow/tf.js';
import { type ConvLayer, type Weights, weight } from '../model/model.js';
import { amplitudesOf, blocks, exactSigma, finite, frequencies, patch } from './exact.js';
import { folding, type LayerPower, type PowerOptions, type Singular } from './power.js';

/** `krylovAtFrequencies` by TensorFlow's own operations: on a GPU, or where the binding has no kernels of ours. */
export function composedKrylov(
  kernel: tf.Tensor4D,
  grid: ConvolutionGrid,
  state: Float32Array,
  { steps, vectors }: KrylovSize,
): ReturnType<typeof krylovAtFrequencies> {
  const { half, phases } = frequencies(grid, kernel.shape);
  const [inputs, count] = [phases.length * kernel.shape[2], half.length];
  const [re, im, lengths] = scoped(() => {
    const p = blocks(kernel, grid); // Pᵀ: vectors are rows here
    const images = (rows: tf.Tensor) => batchMatMul(batchMatMul(rows, p), p, 'b'); // (PᴴP v)ᵀ
    const whole = tf.transpose(tf.tensor4d(state, [inputs, 2, count, vectors]), [1, 2, 3, 0]);
    const [re, im] = tf.unstack(whole) as [tf.Tensor, tf.Tensor];
    const given = tf.complex(re, im);
    let last = given;
    let space = given;
    for (let step = 1; step < steps; step++) {
      last = unit(images(last));
      space = joined(space, last);
    }
    const basis = adjoint(svd(adjoint(space)).u); // orthonormal rows
    const image = images(basis);
    const { u } = svd(batchMatMul(image, basis, 'b')); // of (q A qᴴ)ᵀ, which is Hermitian
    const best = batchMatMul(adjoint(firstColumns(u, vectors)), image);
    const long = length(best);
    const moves = tf.greater(long, 0); // where the image is zero, the directions stay
    return [
      tf.where(moves, tf.div(tf.real(best), long), re),
      tf.where(moves, tf.div(tf.imag(best), long), im),
      tf.slice(long, [0, 0, 0], [count, 1, 1]),
    ].map((x) => x.dataSync<'float32'>().slice());
  }) as [Float32Array, Float32Array, Float32Array];
  const columns = count * vectors;
  const next = new Float32Array(state.length);
  for (let column = 0; column < columns; column++) {
    for (let i = 0; i < inputs; i++) {
      next[2 * i * columns + column] = re[column * inputs + i]!;
      next[(2 * i + 1) * columns + column] = im[column * inputs + i]!;
    }
  }
  const top = lengths.reduce((best, length, f) => (length <= lengths[best]! ? best : f), 0);
  const vector = new Float32Array(2 * inputs);
  const first = top * vectors * inputs;
  vector.set(re.subarray(first, first + inputs));
  vector.set(im.subarray(first, first + inputs), inputs);
  const amplitudes = amplitudesOf(vector, grid, phases, inputs / phases.length);
  return { state: next, estimate: Math.sqrt(lengths[top]!), frequency: half[top]!, amplitudes };
}

/** Of each row, [frequencies, rows, 1]. */
const length = (x: tf.Tensor): tf.Tensor =>
  tf.sqrt(tf.sum(tf.add(tf.square(tf.real(x)), tf.square(tf.imag(x))), -1, true));

const unit = (x: tf.Tensor): tf.Tensor => {
  const long = length(x);
  return tf.complex(tf.divNoNan(tf.real(x), long), tf.divNoNan(tf.imag(x), long));
};

const joined = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
  tf.complex(tf.concat([tf.real(a), tf.real(b)], 1), tf.concat([tf.imag(a), tf.imag(b)], 1));

const adjoint = (x: tf.Tensor): tf.Tensor =>
  tf.complex(tf.transpose(tf.real(x), [0, 2, 1]), tf.neg(tf.transpose(tf.imag(x), [0, 2, 1])));

const firstColumns = (x: tf.Tensor, columns: number): tf.Tensor => {
  const [count, rows] = x.shape as [number, number];
  const part = (y: tf.Tensor) => tf.slice(y, [0, 0, 0], [count, rows, columns]);
  return tf.complex(part(tf.real(x)), part(tf.imag(x)));
};

/**
 * A convolution by its frequencies: a search at every P(ω) (paper, appendices B.2 and C), of which the regularizer takes the largest σ.
 *
 * The search is block Lanczos iteration, or the paper's power iteration. In training another direction may grow to the largest within a
 * few ticks, while the regularizer holds the old one down. A vector that has converged to the old one has almost no component of the
 * new one: power iteration is then up to a quarter of σ too low. A space of a few vectors and steps contains both
 * (`npm run bench -- tick-accuracy`).
 *
 * v of a `Singular` is its wave under the kernel at one output, [2, rows · columns · in] (real, imaginary), and u the output there,
 * [2, out]. With the kernel as a matrix W of [rows · columns · in, out], σ = ‖vW‖ and the gradient of σ²/2 is vᵀ(vW): the
 * same as that of a dense layer, in two directions. P(−ω) has the same σ and gives the same gradient.
 */
export function frequencyPower(
  layer: ConvLayer,
  grid: ConvolutionGrid,
  index: number,
  { iterations, seed, directions, foldNormalization }: PowerOptions,
): LayerPower {
  const folds = folding(layer, foldNormalization);

  /** vW, [2, out], of the current kernel. */
  const images = (weights: Weights, v: tf.Tensor2D): tf.Tensor2D => thinProduct(v, weight(weights, layer.kernel));
  const pair = (v: Float32Array): tf.Tensor2D => tf.tensor2d(v, [2, v.length / 2]);
  const folded = (image: tf.Tensor2D, weights: Weights): tf.Tensor => {
    const c = folds.factors(weights);
    return c === undefined ? image : tf.mul(image, c);
  };

  const singular = (weights: Weights, v: Float32Array, more: Pick<Singular, 'frequency' | 'state'>): Singular => {
    const u = scoped(() =>
      folded(images(weights, pair(v)), weights)
        .dataSync<'float32'>()
        .slice(),
    );
    const sigma = finite(Math.sqrt(u.reduce((sum, y) => sum + y * y, 0)), layer.name);
    return { sigma, u: u.map((y) => (sigma === 0 ? 0 : y / sigma)), v, ...more };
  };

  /** The numbers of frequencies and inputs, and the space that a tick searches at each. */
  const searched = (weights: Weights) => {
    const { shape } = weight(weights, layer.kernel);
    const { half, phases } = frequencies(grid, shape);
    const inputs = phases.length * shape[2]!;
    return { count: half.length, inputs, space: spaceOf(half.length, inputs, directions) };
  };
  /** Rounds of one space each, every one from the best directions of the last. */
  const search = (weights: Weights, state: Float32Array, space: KrylovSize, rounds = 1) =>
    scoped(() => {
      const kernel = folds.kernel(weights);
      const once = hasFused() ? krylovAtFrequencies : composedKrylov;
      let at = once(kernel, grid, state, space);
      for (let round = 1; round < rounds; round++) at = once(kernel, grid, at.state, space);
      return at;
    });
  const found = (weights: Weights, at: Wave & { readonly state: Float32Array }): Singular =>
    singular(weights, patch(at, grid, weight(weights, layer.kernel).shape), {
      frequency: at.frequency,
      state: at.state,
    });

  const exact = (weights: Weights, from?: Singular): Singular => {
    const { wave } = scoped(() =>
      exactSigma(folds.kernel(weights), grid, { from: from?.frequency ?? 0, layer: layer.name }),
    );
    return singular(weights, wave!.patch, { frequency: wave!.frequency });
  };

  return {
    layer,
    /** Until the largest σ changes by less than 1e-4 of itself in a round of eight steps; at most 60 rounds. */
    begin(weights) {
      needsNative('σ of a convolution');
      if (directions === 'exact') return exact(weights);
      const { count, inputs, space: usual } = searched(weights);
      const space = { ...usual, steps: 8 };
      let at = search(weights, noise(seed, index, inputs * 2 * count * space.vectors), space);
      for (let round = 1, last = 0; round < 60 && at.estimate - last > 1e-4 * at.estimate; round++) {
        last = at.estimate;
        at = search(weights, at.state, space);
      }
      return found(weights, at);
    },
    iterate(weights, from) {
      if (directions === 'exact') return exact(weights, from);
      const { space } = searched(weights);
      return found(weights, search(weights, from.state!, space, directions === 'power' ? iterations : 1));
    },
    square: (weights, { v }) =>
      tf.tidy(() => tf.sum(tf.square(folded(images(weights, pair(v)), weights))).dataSync()[0]!),
    addGradients(weights, { v }, strength, gradients) {
      const old = gradients.get(layer.kernel)!;
      const sum = tf.tidy(() => {
        const c = folds.factors(weights);
        const factors = c === undefined ? tf.scalar(strength) : tf.mul(tf.square(c), strength);
        return addStretchGradient(old, pair(v), weight(weights, layer.kernel), factors);
      });
      gradients.set(layer.kernel, sum);
      folds.addGradients(weights, () => images(weights, pair(v)), strength, gradients);
      old.dispose();
    },
  };
}

/**
 * The space that a tick searches at each frequency. With many frequencies one makes up for another, so a few vectors are enough. With
 * few, or the only one of a 1 × 1 kernel, each needs more.
 */
function spaceOf(frequencies: number, inputs: number, directions: PowerOptions['directions']): KrylovSize {
  if (directions === 'power') return { steps: 1, vectors: 1 };
  const [steps, vectors] = frequencies >= 64 ? [3, 2] : frequencies >= 16 ? [3, 3] : frequencies > 1 ? [4, 4] : [4, 8];
  return { steps, vectors: Math.min(inputs, vectors) };
}

/** N(0, I) keyed by seed and layer: the first vectors. */
function noise(seed: number, layer: number, length: number): Float32Array {
  const random = keyed(seed, 'spectral/frequencies', layer);
  return Float32Array.from({ length }, () => random.normal());
}
