import type { Weights } from '../../learn/model/model-model.js';
import type { tf } from '../../tensorflow/device-tf.js';

/** The points whose normals are estimated: those of one group, one after the other. */
export interface Around {
  /** x_t, [group, d], in input units. */
  readonly points: Float32Array;
  /** δ of each. */
  readonly scales: Float64Array;
  /** Class of each original. */
  readonly predicted: Int32Array;
  /** 1 where a normal is wanted. */
  readonly wanted: Uint8Array;
}

/**
 * What the evaluations of one iteration add up to, over p = (clip(x_t + δz) − x_t)/δ, z ~ N(0, I). Plain data: a snapshot may
 * be taken between two units of work.
 */
export interface Sums {
  /** Draws whose class changed. */
  readonly changed: Int32Array;
  /** 1 where a logit was NaN. */
  readonly broken: Uint8Array;
  /** Σ p over the draws whose class changed, [group, d]. */
  readonly overChanged: Float64Array;
  /** Σ p over all draws, [group, d]. */
  readonly overAll: Float64Array;
}

/**
 * A way to evaluate the draws of one iteration, in units of bounded work. The draws are those of `noise`, shared by all
 * samples: each sample's estimate keeps its distribution; only the errors of different samples become correlated.
 */
export interface Estimator {
  /** Units of work for n draws a sample. */
  units(n: number): number;
  /** Adds one unit to the sums. */
  add(weights: Weights, around: Around, n: number, unit: number, noise: Noise, sums: Sums): void;
  /** Gives back what is kept from one unit to the next. */
  dispose(): void;
}

/** The same standard normal numbers whenever it is called with the same arguments: chunk of the draws, and a shape. */
export type Noise = (chunk: number, shape: readonly number[]) => tf.Tensor;

export const noSums = (group: number, d: number): Sums => ({
  changed: new Int32Array(group),
  broken: new Uint8Array(group),
  overChanged: new Float64Array(group * d),
  overAll: new Float64Array(group * d),
});

/**
 * u, the estimated normal towards the adversarial side: Σ (s − mean s) p, normalized, s = +1 where the class changed and −1
 * elsewhere; where all s are equal Σ s p instead (paper, appendix D, step 1, with the weights of the authors' code).
 *
 * Σ (s − mean s) p = 2 (Σ_changed p − c/n Σ p), c of n draws having changed. NaN where the sum is zero.
 */
export function normalOf({ changed, overChanged, overAll }: Sums, n: number, slot: number, d: number): Float32Array {
  const c = changed[slot]!;
  const u = new Float64Array(d);
  let square = 0;
  for (let i = 0, at = slot * d; i < d; i++, at++) {
    const value = c === 0 ? -overAll[at]! : c === n ? overAll[at]! : overChanged[at]! - (c / n) * overAll[at]!;
    u[i] = value;
    square += value * value;
  }
  const length = Math.sqrt(square);
  return new Float32Array(u.map((value) => value / length));
}
