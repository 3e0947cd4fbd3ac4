import { sizeOf } from '../../../src/flow/data.js';
import type { Batch } from '../../../src/learn/train.js';

/** How far the furthest of the wanted values is off. */
export const worst = (found: ArrayLike<number>, wanted: ArrayLike<number>): number =>
  Math.max(...Array.from(wanted, (value, i) => Math.abs(found[i]! - value)));

/** A batch of samples in two views each, [samples, 2, ...shape]. */
export function twoViews(values: Float32Array, shape: readonly number[], number = 1): Batch {
  const samples = values.length / 2 / sizeOf(shape);
  return {
    position: number * samples,
    epoch: number,
    remaining: 0,
    sampleShape: [2, ...shape],
    values,
    labels: Uint8Array.from({ length: samples }, (_, i) => i % 2),
  };
}
