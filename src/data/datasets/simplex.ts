import { WeirError } from '../../flow/errors.js';
import { type Dataset, sharedBytes, sharedFloats } from '../feed-dataset.js';

export interface SimplexOptions {
  /** K: how many vectors, each a class of its own. */
  readonly classes?: number;
  /** d: their dimension, K − 1 at least. */
  readonly dimension?: number;
}

/**
 * A simplex equiangular tight frame (paper, A.3): K unit vectors whose sum is 0, z_k·z_l = −1/(K − 1), each a class.
 * By default three in the plane, 120° apart. They lie in the first K − 1 axes, the first vector along the first one.
 *
 * @throws {WeirError} where the dimension has no room for them
 * @example simplex({ classes: 10, dimension: 16 })
 */
export function simplex({ classes = 3, dimension = classes - 1 }: SimplexOptions = {}): Dataset {
  if (!(Number.isInteger(classes) && classes >= 2 && classes <= 256)) {
    throw new WeirError(`a simplex of ${classes} classes was asked for`, 'give a whole number from 2 to 256');
  }
  if (!(Number.isInteger(dimension) && dimension >= classes - 1)) {
    throw new WeirError(
      `a simplex of ${classes} classes was asked for in ${dimension} dimension${dimension === 1 ? '' : 's'}`,
      `it needs a whole number of dimensions from ${classes - 1} on`,
    );
  }
  const values = sharedFloats(classes * dimension);
  const labels = sharedBytes(classes);
  for (let k = 0; k < classes; k++) {
    labels[k] = k;
    for (let axis = 0; axis < Math.min(k + 1, classes - 1); axis++)
      values[k * dimension + axis] = entry(classes, k, axis);
  }
  return {
    name: `simplex/${classes} in ${dimension}`,
    size: classes,
    sampleShape: [dimension],
    classes: Array.from({ length: classes }, (_, k) => String(k + 1)),
    values,
    labels,
  };
}

/** Vector k ends on axis k; on every axis before, those that go on share one value, so that their products come out right. */
function entry(classes: number, k: number, axis: number): number {
  const left = classes - axis; // vectors that have an entry on this axis
  const height = Math.sqrt((classes / (classes - 1)) * ((left - 1) / left));
  return k === axis ? height : -height / (left - 1);
}
