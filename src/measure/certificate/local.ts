import { keyed } from '../../flow/seed.js';
import type { Model, Weights } from '../../learn/model/model-model.js';
import type { Norm } from '../../learn/model/part.js';
import { tf } from '../../tensorflow/device-tf.js';
import { jacobianNorms } from '../geometry/jacobian-norm.js';
import { productsOf } from '../geometry/products.js';
import { pointsInBall } from './ball.js';
import { quotient } from './bounds.js';
import type { Margin } from './certificate-margins.js';

export interface Sampling {
  /** Points of the ball where ∇Φ is looked at, its center included. */
  readonly points: number;
  /** Power iterations at each, at most. */
  readonly steps: number;
  readonly seed: number;
}

/**
 * The bound of (A.1) with the largest ‖∇Φ(y)‖_p met at points y drawn evenly from B_p(x, R), R included as a cap. An estimate: the ball
 * holds points with larger slopes than those drawn, and the power iteration comes from below.
 *
 * R is the radius given or, if that is smaller, the margin over ‖w‖_q ‖∇Φ(x)‖_p: no larger ball gives a larger bound. Where ∇Φ(x) = 0
 * and no radius is given, no ball is the right one, and the result is infinite.
 *
 * @param index of the sample: it keys what is drawn
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
  const products = productsOf(stage, model);

  /** The largest ‖∇Φ‖ at n inputs that lie one behind another. */
  function steepest(weights: Weights, inputs: Float32Array, n: number, norm: Norm, index: number): number {
    const random = keyed(seed, 'certificate/directions', index, n);
    const start = tf.tensor2d(
      Float32Array.from(inputs, () => random.normal()),
      [n, inputs.length / n],
    );
    const x = tf.tensor(inputs, [n, ...model.inputShape]);
    const here = products(weights, x);
    const found = jacobianNorms(here, start, norm, { steps });
    here.dispose();
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
