import { keyed, type Random } from '../../flow/random.js';
import { type ByNorm, type Model, type Norm, type Weights, weight } from '../../learn/model/model.js';
import { tf } from '../../tensorflow/tf.js';
import { jacobianNorms, productsOf } from '../geometry/jacobian.js';

/** margin / slope: 0 where no margin is left, infinite where the slope is 0, NaN where either is. */
export function quotient(margin: number, slope: number): number {
  if (Number.isNaN(margin) || Number.isNaN(slope)) return Number.NaN;
  if (margin <= 0) return 0;
  return slope === 0 ? Number.POSITIVE_INFINITY : margin / slope;
}

/** The readout's kernel, as numbers. */
export interface ReadoutKernel {
  /** [width, classes], row by row, without the factor. */
  readonly kernel: Float32Array;
  readonly classes: number;
  /** The factor of the logits. */
  readonly factor: number;
}

export const readoutOf = (model: Model, weights: Weights): ReadoutKernel => ({
  kernel: weight<tf.Tensor2D>(weights, model.readout.kernel).dataSync<'float32'>(),
  classes: model.classes,
  factor: model.readout.factor ?? 1,
});

/** The bounds of a sample against one wrong class k; w = W_c − W_k. */
export interface Margin {
  /** k */
  readonly rival: number;
  /** w·Φ(x) + b_c − b_k: the difference of the logits, without their factor. */
  readonly margin: number;
  /** Part of the margin that float32 may have made: 2·10⁻⁶ of the sizes it is a difference of. */
  readonly rounding: number;
  /** θ_x = w·Φ(x) / (‖w‖₂ ‖Φ(x)‖₂), without the biases (paper, lemma 1). */
  readonly theta: number;
  /** ‖w‖_q for perturbations measured in ℓp, 1/p + 1/q = 1 (A.1). */
  readonly readoutNorm: ByNorm<number>;
}

const FLOAT32 = 2e-6;

/** The margins of class `label` over every other class, in order. None where there is one class. */
export function marginsOf(
  { kernel, classes, factor }: ReadoutKernel,
  features: Float32Array,
  logits: Float32Array,
  label: number,
): Margin[] {
  const featureNorm = lengthOf(features);
  const rivals = Array.from({ length: classes }, (_, k) => k).filter((k) => k !== label);
  return rivals.map((rival) => {
    let [along, sizes, sum, squares, largest] = [0, 0, 0, 0, 0];
    for (let i = 0; i < features.length; i++) {
      const w = kernel[i * classes + label]! - kernel[i * classes + rival]!;
      along += w * features[i]!;
      sizes += Math.abs(w * features[i]!);
      sum += Math.abs(w);
      squares += w * w;
      largest = Math.max(largest, Math.abs(w));
    }
    const [own, other] = [logits[label]! / factor, logits[rival]! / factor];
    const norm = Math.sqrt(squares);
    return {
      rival,
      margin: own - other,
      theta: along / (norm * featureNorm),
      rounding: FLOAT32 * (sizes + Math.abs(own) + Math.abs(other)),
      readoutNorm: { l1: largest, l2: norm, linf: sum },
    };
  });
}

/** ‖a‖₂ */
export const lengthOf = (a: Float32Array): number => Math.sqrt(a.reduce((sum, value) => sum + value * value, 0));

/**
 * The center, and points drawn uniformly from the ball B_p(center, radius) around it, one behind another.
 *
 * p = 2: a normal direction of length R·u^(1/d). p = 1: exponential numbers of either sign, divided by their sum with one number more. p =
 * ∞: uniform numbers from −R to R.
 *
 * @param count points, the center included
 */
function pointsInBall(center: Float32Array, radius: number, norm: Norm, count: number, random: Random): Float32Array {
  const d = center.length;
  const points = new Float32Array(count * d);
  points.set(center);
  const draw = { l1: octahedron, l2: ball, linf: cube }[norm];
  for (let point = 1; point < count; point++) {
    const away = draw(d, random);
    for (let i = 0; i < d; i++) points[point * d + i] = center[i]! + radius * away[i]!;
  }
  return points;
}

function ball(d: number, random: Random): Float64Array {
  const direction = Float64Array.from({ length: d }, () => random.normal());
  const length = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
  const radius = random.uniform() ** (1 / d);
  return direction.map((value) => (value * radius) / length);
}

function octahedron(d: number, random: Random): Float64Array {
  const exponential = (): number => -Math.log(1 - random.uniform());
  const sizes = Float64Array.from({ length: d }, exponential);
  const sum = sizes.reduce((sum, size) => sum + size, exponential());
  return sizes.map((size) => (random.uniform() < 0.5 ? -size : size) / sum);
}

const cube = (d: number, random: Random): Float64Array =>
  Float64Array.from({ length: d }, () => 2 * random.uniform() - 1);

export interface Sampling {
  /** Points of the ball at which ∇Φ is computed, its center included. */
  readonly points: number;
  /** Power iterations at each, at most. */
  readonly steps: number;
  readonly seed: number;
}

/**
 * The bound of (A.1), with the largest ‖∇Φ(y)‖_p found at points y drawn uniformly from B_p(x, R); it is at most R. It is an estimate: the
 * ball holds points with larger slopes than those drawn, and power iteration gives each from below.
 *
 * R is the radius given or, if that is smaller, the margin over ‖w‖_q ‖∇Φ(x)‖_p: no larger ball gives a larger bound. Where ∇Φ(x) = 0 and
 * no radius is given, the result is infinite.
 *
 * @param index of the sample: it keys the random points
 */
export function localBound(
  stage: string,
  model: Model,
  { points, steps, seed }: Sampling,
): (
  weights: Weights,
  x: Float32Array,
  margins: readonly Margin[],
  norm: Norm,
  index: number,
  radius: number,
) => number {
  const productsAt = productsOf(stage, model);

  /** The largest ‖∇Φ‖ at n inputs that lie one behind another. */
  function steepest(weights: Weights, inputs: Float32Array, n: number, norm: Norm, index: number): number {
    const random = keyed(seed, 'certificate/directions', index, n);
    const start = tf.tensor2d(
      Float32Array.from(inputs, () => random.normal()),
      [n, inputs.length / n],
    );
    const x = tf.tensor(inputs, [n, ...model.inputShape]);
    const products = productsAt(weights, x);
    const found = jacobianNorms(products, start, norm, { steps });
    products.dispose();
    tf.dispose([start, x]);
    return Math.max(...found);
  }

  return (weights, x, margins, norm, index, radius) => {
    const bound = (slope: number): number =>
      Math.min(...margins.map(({ margin, readoutNorm }) => quotient(margin, readoutNorm[norm] * slope)));
    const R = Math.min(radius, bound(steepest(weights, x, 1, norm, index)));
    if (!Number.isFinite(R) || R === 0) return R;
    const inputs = pointsInBall(x, R, norm, points, keyed(seed, `certificate/ball/${norm}`, index));
    return Math.min(R, bound(steepest(weights, inputs, points, norm, index)));
  };
}
