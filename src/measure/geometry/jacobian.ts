import { WeirError } from '../../flow/errors.js';
import { linearizationOf } from '../../learn/model/autodiff.js';
import type { FeatureJacobian, Linearization, Model, Norm, Weights } from '../../learn/model/model.js';
import { tf } from '../../tensorflow/tf.js';

/** Products with ∇Φ at the samples of one batch; `dispose` gives back their tensors. */
export type Products = Pick<Linearization, 'forward' | 'backward' | 'dispose'>;

/** How the model multiplies with ∇Φ. @throws {WeirError} where it cannot; the stage is named */
export function productsOf(stage: string, model: Model): (weights: Weights, x: tf.Tensor) => Products {
  const { jacobian } = model;
  const at = linearizationOf(model);
  if (at !== undefined) return at;
  if (jacobian !== undefined) return (weights, x) => plain(jacobian, weights, x);
  throw new WeirError(
    `stage '${stage}' needs the Jacobian of the feature map, which ${model.name} does not give`,
    'take a model of weir, or give yours a `jacobian` with products in both directions',
  );
}

const plain = (jacobian: FeatureJacobian, weights: Weights, x: tf.Tensor): Products => ({
  forward: (p) => jacobian.forward(weights, x, p),
  backward: (q) => jacobian.backward(weights, x, q),
  dispose: () => undefined,
});

/** When the search for the norm stops. */
export interface Search {
  /** Products in each direction, at most. */
  readonly steps: number;
  /** Stop where no norm grew by more than this part of itself in a step. */
  readonly tolerance?: number;
}

/**
 * ‖∇Φ‖ at each of n points, induced by ℓp on both sides, from below: the largest ‖∇Φ d‖_p found among ‖d‖_p = 1.
 *
 * Power iteration for ℓp norms (Boyd 1974; for p = 2 the usual one): y = ∇Φ d, z = ∇Φᵀ y*, d ← z*, where * takes the vector in which
 * Hölder's inequality is an equality. No step makes it smaller. For p = 1 (the largest column sum) and p = ∞ (the largest row sum) it ends
 * within a few steps. At times it ends at a column or row that is not the largest.
 *
 * @param start directions to start from, [n, inputs], none of them zero; only read
 * @returns one number a point; 0 where ∇Φ is 0, NaN where it is
 */
export function jacobianNorms(
  products: Products,
  start: tf.Tensor2D,
  norm: Norm,
  { steps, tolerance = 1e-5 }: Search,
): Float32Array {
  let direction = tf.tidy(() => (norm === 'linf' ? tf.sign(start) : scaled(start, norm)) as tf.Tensor2D);
  let best = new Float32Array(start.shape[0]);
  for (let step = 0; step < steps; step++) {
    const before = direction;
    const [next, lengths] = tf.tidy(() => {
      const y = products.forward(direction);
      const z = products.backward(holder(y, norm, 'image'));
      return [holder(z, norm, 'direction'), length(y, norm)];
    }) as [tf.Tensor2D, tf.Tensor2D];
    direction = next;
    const found = lengths.dataSync<'float32'>();
    tf.dispose([before, lengths]);
    const grew = best.some((norm, i) => found[i]! - norm > tolerance * found[i]!);
    best = best.map((norm, i) => (found[i]! <= norm ? norm : found[i]!)); // NaN stays NaN
    if (!grew) break;
  }
  direction.dispose();
  return best;
}

/** ‖y‖_p of each row, [n, 1]. */
function length(y: tf.Tensor2D, norm: Norm): tf.Tensor2D {
  if (norm === 'l2') return tf.norm(y, 2, 1, true) as tf.Tensor2D;
  return (norm === 'l1' ? tf.sum(tf.abs(y), 1, true) : tf.max(tf.abs(y), 1, true)) as tf.Tensor2D;
}

/** Each row divided by its length; a row of zeros stays. */
const scaled = (y: tf.Tensor2D, norm: Norm): tf.Tensor2D => tf.div(y, tf.maximum(length(y, norm), 1e-30));

/**
 * The vectors with which Hölder's inequality is an equality, row by row. For y ('image') ‖y*‖_q = 1 and y·y* = ‖y‖_p; for z ('direction')
 * ‖z*‖_p = 1 and z·z* = ‖z‖_q.
 */
function holder(y: tf.Tensor2D, norm: Norm, of: 'image' | 'direction'): tf.Tensor2D {
  if (norm === 'l2') return scaled(y, norm);
  if ((norm === 'l1') === (of === 'image')) return tf.sign(y);
  const [, columns] = y.shape;
  return tf.mul(tf.oneHot(tf.argMax(tf.abs(y), 1), columns), tf.sign(y));
}

/** The metric g = ∇Φᵀ∇Φ (paper, remark 1) on a plane at n points: its values on two directions a and b. */
export interface PlaneMetric {
  /** ‖∇Φ a‖² */
  readonly aa: Float64Array;
  /** ∇Φ a · ∇Φ b */
  readonly ab: Float64Array;
  /** ‖∇Φ b‖² */
  readonly bb: Float64Array;
}

/** g on the plane of a and b at the n points of `products`, by two products with ∇Φ. @param a, b of length `inputs` */
export function planeMetric(products: Products, n: number, a: Float32Array, b: Float32Array): PlaneMetric {
  const images = [a, b].map((direction) => {
    const image = tf.tidy(() => products.forward(tf.tile(tf.tensor2d(direction, [1, direction.length]), [n, 1])));
    const values = image.dataSync<'float32'>();
    image.dispose();
    return values;
  }) as [Float32Array, Float32Array];
  const width = images[0].length / n;
  const product = (y: Float32Array, z: Float32Array): Float64Array =>
    Float64Array.from({ length: n }, (_, row) => {
      let sum = 0;
      for (let i = row * width; i < (row + 1) * width; i++) sum += y[i]! * z[i]!;
      return sum;
    });
  return { aa: product(images[0], images[0]), ab: product(images[0], images[1]), bb: product(images[1], images[1]) };
}

/** Part of aa·bb below which the determinant is nothing but the rounding of float32 products. */
const ROUNDING = 1e-12;

/** ½ log det g at one point: the logarithm of the volume element √det g. NaN where g has rank below two. */
export function logVolume({ aa, ab, bb }: PlaneMetric, at: number): number {
  const determinant = aa[at]! * bb[at]! - ab[at]! ** 2;
  return determinant > ROUNDING * aa[at]! * bb[at]! ? Math.log(determinant) / 2 : Number.NaN;
}

/** The larger eigenvalue of g at one point, for a and b of length 1 at a right angle. */
export function topEigenvalue({ aa, ab, bb }: PlaneMetric, at: number): number {
  return (aa[at]! + bb[at]!) / 2 + Math.hypot((aa[at]! - bb[at]!) / 2, ab[at]!);
}
