import { sizeOf } from '../../flow/data.js';
import { type DenseFirst, type Model, type Weights, weight } from '../../learn/model/model.js';
import { clampedRows } from '../../tensorflow/ops/fused.js';
import { tf } from '../../tensorflow/tf.js';
import { classes } from '../predictions.js';
import type { Limits } from './box.js';

/** The points whose normals are estimated: those of one group, one after the other. */
export interface BoundaryPoints {
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
export interface NormalSums {
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
  add(weights: Weights, around: BoundaryPoints, n: number, unit: number, noise: Noise, sums: NormalSums): void;
  /** Gives back what is kept from one unit to the next. */
  dispose(): void;
}

/**
 * Draws z as the columns of [d, n], or as the rows of [n, d]: the same whenever it is called with the same arguments, the first of which is the
 * chunk of the draws.
 */
export type Noise = (chunk: number, shape: readonly [number, number], lie: 'columns' | 'rows') => tf.Tensor;

export const noSums = (group: number, d: number): NormalSums => ({
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
export function normalOf(
  { changed, overChanged, overAll }: NormalSums,
  n: number,
  slot: number,
  d: number,
): Float32Array {
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

/** Draws a unit: what bounds the memory, 8 MB for every 1000 units of width. */
const ROWS = 2048;

/**
 * The same evaluations where the first layer is dense, with fewer multiplications and none left out.
 *
 * With noise z shared by the group, the sums of one draw are (x_t + δ(z + q))W + b, where δq is what clipping to the box changes.
 * zW is one product for all samples, x_t W + b one row for all draws, and q is zero but in the coordinates C that some draw
 * leaves the box in: for digits a third of all or less. So per sample there remains the product of |C| columns. Algebra, not
 * approximation: the logits agree with those of the whole forward pass to float32 rounding, and every draw still goes through
 * the nonlinearity and all later layers.
 */
export function dense(model: Model, first: DenseFirst, group: number, box: Limits): Estimator {
  const d = sizeOf(model.inputShape);

  return {
    units: (n) => Math.ceil(n / ROWS),
    dispose() {},

    add(weights, around, n, unit, noise, sums) {
      const draws = Math.min(ROWS, n - unit * ROWS);
      const indicators = new Float32Array((group + 1) * draws).fill(1, group * draws); // the last row takes the sum over all
      tf.tidy(() => {
        const kernel = weight<tf.Tensor2D>(weights, first.kernel);
        const points = tf.tensor2d(around.points, [group, d]);
        const atPoints = tf.add(tf.matMul(points, kernel), weight(weights, first.bias));
        const bases = tf.unstack(tf.div(atPoints, tf.tensor2d(Float32Array.from(around.scales), [group, 1])));
        const z = noise(unit, [d, draws], 'columns') as tf.Tensor2D;
        const zW = tf.matMul(z, kernel, true) as tf.Tensor2D;
        const lowest = tf.min(z, 1).dataSync();
        const highest = tf.max(z, 1).dataSync();

        for (let slot = 0; slot < group; slot++) {
          if (around.wanted[slot] !== 1) continue;
          const delta = around.scales[slot]!;
          const x = around.points.subarray(slot * d, (slot + 1) * d);
          const changed = indicators.subarray(slot * draws, (slot + 1) * draws);
          const clipped = clippedCoordinates(x, delta, box, lowest, highest);
          tf.tidy(() => {
            const coordinates = tf.tensor1d(clipped, 'int32');
            const q = takenAway(z, coordinates, x, delta, box, clipped);
            const qW = tf.matMul(q, tf.gather(kernel, coordinates), true) as tf.Tensor2D;
            const found = classes(first.rest(weights, [zW, qW], bases[slot] as tf.Tensor1D, delta));
            for (let k = 0; k < draws; k++) {
              if (found[k] === -1) sums.broken[slot] = 1;
              changed[k] = found[k] === around.predicted[slot] ? 0 : 1;
              sums.changed[slot]! += changed[k]!;
            }
            const two = new Float32Array(2 * draws).fill(1, draws);
            two.set(changed);
            addClipped(tf.matMul(tf.tensor2d(two, [2, draws]), q, false, true).dataSync(), clipped, sums, slot * d);
          });
        }

        const added = tf.matMul(tf.tensor2d(indicators, [group + 1, draws]), z, false, true).dataSync();
        for (let at = 0; at < group * d; at++) {
          sums.overChanged[at]! += added[at]!;
          sums.overAll[at]! += added[group * d + (at % d)]!;
        }
      });
    },
  };
}

/**
 * C, the coordinates in which some draw leaves the box, between `lowest` and `highest` by coordinate. Their number is rounded up to
 * a multiple of 16 by repeating the first coordinate, for fewer shapes of kernels; a repetition is given no part in q.
 */
function clippedCoordinates(
  x: Float32Array,
  delta: number,
  { lower, upper }: Limits,
  lowest: ArrayLike<number>,
  highest: ArrayLike<number>,
): Int32Array {
  const found = new Int32Array(x.length + 16);
  let count = 0;
  for (let i = 0; i < x.length; i++) {
    if (delta * lowest[i]! < lower[i]! - x[i]! || delta * highest[i]! > upper[i]! - x[i]!) found[count++] = i;
  }
  return found.fill(found[0]!, count).slice(0, Math.max(1, Math.ceil(count / 16)) * 16);
}

/** q of those coordinates, [|C|, draws]: clip(z, (min − x)/δ, (max − x)/δ) − z. */
function takenAway(
  z: tf.Tensor2D,
  coordinates: tf.Tensor1D,
  x: Float32Array,
  delta: number,
  { lower, upper }: Limits,
  clipped: Int32Array,
): tf.Tensor2D {
  const least = new Float32Array(clipped.length).fill(Number.NEGATIVE_INFINITY);
  const most = new Float32Array(clipped.length).fill(Number.POSITIVE_INFINITY);
  for (let j = 0; j < clipped.length; j++) {
    const i = clipped[j]!;
    if (j > 0 && i === clipped[0]) break; // repetitions
    least[j] = (lower[i]! - x[i]!) / delta;
    most[j] = (upper[i]! - x[i]!) / delta;
  }
  return clampedRows(z, coordinates, tf.tensor1d(least), tf.tensor1d(most));
}

/** Adds what the clipped coordinates take away: `taken` holds Σ q over the changed draws, then over all. */
function addClipped(taken: ArrayLike<number>, coordinates: Int32Array, sums: NormalSums, offset: number): void {
  coordinates.forEach((i, j) => {
    sums.overChanged[offset + i]! += taken[j]!;
    sums.overAll[offset + i]! += taken[coordinates.length + j]!;
  });
}

/**
 * The evaluations of any model: each draw is a whole input. A unit is one chunk of one sample's draws; the noise of a chunk is
 * drawn once and serves all samples of the group.
 *
 * @param rows draws a forward pass, at most: chunks are of one size, for a small one at the end would cost more a draw
 */
export function direct(model: Model, group: number, box: Limits, rows: number): Estimator {
  const d = sizeOf(model.inputShape);
  let chunkNoise: { chunk: number; z: tf.Tensor } | undefined;
  const chunks = (n: number): number => Math.ceil(n / rows);
  const dispose = (): void => {
    chunkNoise?.z.dispose();
    chunkNoise = undefined;
  };

  return {
    units: (n) => chunks(n) * group,
    dispose,

    add(weights, { points, scales, predicted, wanted }, n, unit, noise, sums) {
      const chunk = Math.floor(unit / group);
      const slot = unit % group;
      if (wanted[slot] === 1) {
        const size = Math.ceil(n / chunks(n));
        const draws = Math.min(size, n - chunk * size);
        if (chunkNoise?.chunk !== chunk) {
          dispose();
          chunkNoise = { chunk, z: noise(chunk, [draws, d], 'rows') };
        }
        const { z } = chunkNoise;
        const delta = scales[slot]!;
        tf.tidy(() => {
          const x = tf.tensor1d(points.subarray(slot * d, (slot + 1) * d));
          const perturbed = box.clip(tf.add(tf.mul(z, delta), x));
          const found = classes(model.logits(weights, tf.reshape(perturbed, [draws, ...model.inputShape])));
          const indicators = new Float32Array(2 * draws).fill(1, draws);
          for (let k = 0; k < draws; k++) {
            if (found[k] === -1) sums.broken[slot] = 1;
            if (found[k] === predicted[slot]) continue;
            indicators[k] = 1;
            sums.changed[slot]!++;
          }
          const moved = tf.sub(perturbed, x) as tf.Tensor2D; // δp
          const added = tf.matMul(tf.tensor2d(indicators, [2, draws]), moved).dataSync();
          for (let i = 0, at = slot * d; i < d; i++, at++) {
            sums.overChanged[at]! += added[i]! / delta;
            sums.overAll[at]! += added[d + i]! / delta;
          }
        });
      }
      if (unit === this.units(n) - 1) dispose(); // the next iteration has other noise
    },
  };
}
