import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { keyed } from '../../flow/random.js';
import { type Dataset, sharedBytes, sharedFloats } from '../dataset.js';

/** Class 0 first: (1, 1) and (-1, -1), then class 1. */
const CORNERS = [
  [1, 1],
  [-1, -1],
  [1, -1],
  [-1, 1],
] as const;

export interface XorOptions {
  /** Points per corner (20 by default) with Gaussian noise (0.2 by default); without it, the four corners themselves. */
  readonly noise?: { readonly perCorner?: number; readonly std?: number };
  /** Seed of the noise; the authors use the model's. */
  readonly seed?: number;
}

/**
 * XOR in the plane (paper, section 4.1): four corners, or noisy points about them, of which the first half is class 0.
 *
 * @example xor({ noise: { perCorner: 20, std: 0.2 }, seed })
 */
export function xor(options: XorOptions = {}): Dataset {
  const { noise, seed = 0 } = checkOptions('xor', options, { noise: 'optional', seed: 'optional' });
  if (noise) checkOptions('noise of xor', noise, { perCorner: 'optional', std: 'optional' });
  const perCorner = noise ? (noise.perCorner ?? 20) : 1;
  const std = noise ? (noise.std ?? 0.2) : 0;
  const size = CORNERS.length * perCorner;
  const values = sharedFloats(2 * size);
  const labels = sharedBytes(size);
  for (let i = 0; i < size; i++) {
    const corner = Math.floor(i / perCorner);
    const random = keyed(seed, 'xor', i);
    CORNERS[corner]!.forEach((x, axis) => {
      values[2 * i + axis] = x + (std === 0 ? 0 : std * random.normal());
    });
    labels[i] = corner < 2 ? 0 : 1;
  }
  return {
    name: noise ? 'xor/noisy' : 'xor/clean',
    size,
    sampleShape: [2],
    classes: ['same', 'different'],
    values,
    labels,
  };
}

/**
 * XOR for several networks that are trained at once: sample i holds the i-th point of each network's own data, [networks, 2], under one
 * label.
 *
 * @param seeds of each network's data
 * @example xorOfEach([0, 1, 2], { perCorner: 20, std: 0.2 })
 */
export function xorOfEach(seeds: readonly number[], noise?: XorOptions['noise']): Dataset {
  if (noise) checkOptions('noise of xorOfEach', noise, { perCorner: 'optional', std: 'optional' });
  if (seeds.length === 0) throw new WeirError('XOR for no network was asked for', 'give at least one seed');
  const each = seeds.map((seed) => xor({ seed, ...(noise && { noise }) }));
  const { size, name, classes, labels } = each[0]!;
  const values = sharedFloats(2 * size * seeds.length);
  each.forEach((one, network) => {
    for (let i = 0; i < size; i++) {
      values.set((one.values as Float32Array).subarray(2 * i, 2 * i + 2), 2 * (i * seeds.length + network));
    }
  });
  return { name: `${name} × ${seeds.length}`, size, sampleShape: [seeds.length, 2], classes, values, labels };
}

export interface SimplexOptions {
  /** K: number of vectors, each a class of its own. */
  readonly classes?: number;
  /** d: their dimension, K − 1 at least. */
  readonly dimension?: number;
}

/**
 * A simplex equiangular tight frame (paper, A.3): K unit vectors whose sum is 0, z_k·z_l = −1/(K − 1), each a class.
 * By default three in the plane, 120° apart. They lie in the first K − 1 axes, the first vector along the first one.
 *
 * @throws {WeirError} for fewer than K − 1 dimensions
 * @example simplex({ classes: 10, dimension: 16 })
 */
export function simplex(options: SimplexOptions = {}): Dataset {
  const { classes = 3, dimension = classes - 1 } = checkOptions('simplex', options, {
    classes: 'optional',
    dimension: 'optional',
  });
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

/** Coordinate of vector k: it ends on axis k, and on each axis before, all later vectors share one value, so that the products are right. */
function entry(classes: number, k: number, axis: number): number {
  const left = classes - axis; // vectors that have an entry on this axis
  const height = Math.sqrt((classes / (classes - 1)) * ((left - 1) / left));
  return k === axis ? height : -height / (left - 1);
}
