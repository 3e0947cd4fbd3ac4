import { tf } from '../../learn/device/tf.js';
import { type Model, type Weights, weight } from '../../learn/model/model.js';
import type { Around, Estimator, Sums } from './normal.js';
import { classes } from './oracle.js';
import type { Box } from './schedule.js';

/** A model whose first layer is dense, x·kernel + bias, and the way from there to the logits. */
export interface DenseFirst {
  readonly kernel: string;
  readonly bias: string;
  /** The logits [n, classes] that follow from the first layer's sums [n, width]. */
  rest(weights: Weights, sums: tf.Tensor2D): tf.Tensor2D;
}

/** Draws a unit: what bounds the memory, 8 MB for every 1000 units of width. */
const ROWS = 2048;

/**
 * The same evaluations where the first layer is dense, with fewer multiplications and none left out.
 *
 * With noise z shared by the group, the sums of one draw are (x_t + δz + q)W + b, where q = clip(x_t + δz) − (x_t + δz) is what
 * clipping took away. zW is one product for all samples, x_t W + b one row for all draws, and q is zero but in the coordinates C
 * that some draw leaves the box in: for digits a quarter to a third of all. So per sample there remains the product of |C|
 * columns. Algebra, not approximation: the logits agree with those of the whole forward pass to float32 rounding, and every
 * draw still goes through the nonlinearity and all later layers.
 */
export function dense(model: Model, first: DenseFirst, group: number, box: Box): Estimator {
  const d = model.inputShape.reduce((size, extent) => size * extent, 1);

  return {
    units: (n) => Math.ceil(n / ROWS),
    dispose() {},

    add(weights, around, n, unit, noise, sums) {
      const draws = Math.min(ROWS, n - unit * ROWS);
      tf.tidy(() => {
        const kernel = weight<tf.Tensor2D>(weights, first.kernel);
        const points = tf.tensor2d(around.points, [group, d]);
        const bases = tf.add(tf.matMul(points, kernel), weight(weights, first.bias)) as tf.Tensor2D;
        const z = noise(unit, [d, draws]) as tf.Tensor2D;
        const shared: Shared = {
          zW: tf.matMul(z, kernel, true),
          z: tf.concat([z, tf.zeros([1, draws])], 0), // row d: no noise
          rows: tf.concat([kernel, bases], 0), // row d + slot: the sums at x_t
          lowest: tf.min(z, 1).dataSync() as Float32Array,
          highest: tf.max(z, 1).dataSync() as Float32Array,
        };
        const indicators = new Float32Array((group + 1) * draws).fill(1, group * draws);
        for (let slot = 0; slot < group; slot++) {
          if (around.wanted[slot] !== 1) continue;
          const changed = indicators.subarray(slot * draws, (slot + 1) * draws);
          tf.tidy(() => {
            const clipped = clippedOf(around, slot, box, shared);
            const q = takenAway(clipped, around.scales[slot]!, shared);
            const first0 = tf.matMul(q, tf.gather(shared.rows, clipped.rows), true) as tf.Tensor2D;
            const logits = first.rest(weights, tf.add(first0, tf.mul(shared.zW, around.scales[slot]!)));
            mark(classes(logits), around.predicted[slot]!, changed, sums, slot);
            const two = new Float32Array(2 * draws).fill(1, draws);
            two.set(changed);
            const taken = tf.matMul(tf.tensor2d(two, [2, draws]), q, false, true).dataSync();
            addTaken(taken, clipped, around.scales[slot]!, sums, slot * d);
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

/** What the samples of a group have in common during one unit. */
interface Shared {
  readonly zW: tf.Tensor2D;
  /** Noise, [d + 1, draws]. */
  readonly z: tf.Tensor2D;
  /** Rows of the kernel and behind them those of the sums, [d + group, width]. */
  readonly rows: tf.Tensor2D;
  /** Extremes of the noise by coordinate. */
  readonly lowest: Float32Array;
  readonly highest: Float32Array;
}

/** The coordinates that some draw leaves the box in, and one more row that carries the sums at x_t. */
interface Clipped {
  /** Coordinates; their number + 1 is rounded up to a multiple of 16, for fewer shapes of kernels. */
  readonly coordinates: Int32Array;
  readonly count: number;
  /** Rows of `Shared.z` and of `Shared.rows`. */
  readonly noise: tf.Tensor1D;
  readonly rows: tf.Tensor1D;
  /** Bounds of δz, [rows, 1]. */
  readonly least: tf.Tensor2D;
  readonly most: tf.Tensor2D;
}

function clippedOf({ points, scales }: Around, slot: number, { min, max }: Box, shared: Shared): Clipped {
  const d = shared.lowest.length;
  const delta = scales[slot]!;
  const found = new Int32Array(d + 16); // coordinate 0, without bounds, where nothing is found
  let count = 0;
  for (let i = 0, at = slot * d; i < d; i++, at++) {
    const x = points[at]!;
    if (delta * shared.lowest[i]! < min - x || delta * shared.highest[i]! > max - x) found[count++] = i;
  }
  const length = Math.ceil((count + 1) / 16) * 16;
  const noise = found.slice(0, length);
  const rows = found.slice(0, length);
  const least = new Float32Array(length).fill(Number.NEGATIVE_INFINITY);
  const most = new Float32Array(length).fill(Number.POSITIVE_INFINITY);
  for (let j = 0; j < count; j++) {
    const x = points[slot * d + found[j]!]!;
    least[j] = min - x;
    most[j] = max - x;
  }
  noise[length - 1] = d; // noise 0 kept to [1, 1]: one times the sums at x_t
  rows[length - 1] = d + slot;
  least[length - 1] = 1;
  most[length - 1] = 1;
  return {
    coordinates: found,
    count,
    noise: tf.tensor1d(noise, 'int32'),
    rows: tf.tensor1d(rows, 'int32'),
    least: tf.tensor2d(least, [length, 1]),
    most: tf.tensor2d(most, [length, 1]),
  };
}

/** q by rows: [coordinates + …, draws], the last row 1. */
function takenAway({ noise, least, most }: Clipped, delta: number, { z }: Shared): tf.Tensor2D {
  const moved = tf.mul(tf.gather(z, noise), delta);
  return tf.sub(tf.minimum(tf.maximum(moved, least), most), moved);
}

function mark(found: Int32Array, predicted: number, changed: Float32Array, sums: Sums, slot: number): void {
  for (let k = 0; k < found.length; k++) {
    if (found[k] === -1) sums.broken[slot] = 1;
    if (found[k] === predicted) continue;
    changed[k] = 1;
    sums.changed[slot]!++;
  }
}

function addTaken(
  taken: ArrayLike<number>,
  { coordinates, count }: Clipped,
  delta: number,
  sums: Sums,
  at: number,
): void {
  const stride = taken.length / 2;
  for (let j = 0; j < count; j++) {
    sums.overChanged[at + coordinates[j]!]! += taken[j]! / delta;
    sums.overAll[at + coordinates[j]!]! += taken[stride + j]! / delta;
  }
}
