import type { Norm } from '../../learn/model/part.js';
import { tf } from '../../tensorflow/device-tf.js';
import type { Products } from './products.js';

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
 * Hölder's inequality is an equality. No step makes it smaller. For p = 1 (the largest column sum) and p = ∞ (the largest row sum)
 * it ends within a few steps, at times at a column or row that is not the largest.
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
 * Row by row the vector with which the product is the dual norm: of y ('image') it has ‖y*‖_q = 1 and y·y* = ‖y‖_p, of z
 * ('direction') ‖z*‖_p = 1 and z·z* = ‖z‖_q.
 */
function holder(y: tf.Tensor2D, norm: Norm, of: 'image' | 'direction'): tf.Tensor2D {
  if (norm === 'l2') return scaled(y, norm);
  if ((norm === 'l1') === (of === 'image')) return tf.sign(y);
  const [, columns] = y.shape;
  return tf.mul(tf.oneHot(tf.argMax(tf.abs(y), 1), columns), tf.sign(y));
}
