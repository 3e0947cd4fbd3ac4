import { WeirError } from '../../flow/errors.js';
import { keyed } from '../../flow/seed.js';
import { type Dataset, sharedBytes, sharedFloats } from '../feed-dataset.js';

/** Class 0 first: (1, 1) and (-1, -1), then class 1. */
const CORNERS = [
  [1, 1],
  [-1, -1],
  [1, -1],
  [-1, 1],
] as const;

export interface XorOptions {
  /** Points per corner, each with Gaussian noise; without it the four corners themselves. */
  readonly noise?: { readonly perCorner?: number; readonly std?: number };
  /** Of the noise; the authors use the model's seed. */
  readonly seed?: number;
}

/**
 * XOR in the plane (paper, section 4.1): four corners, or noisy points about them, of which the first half is class 0.
 *
 * @example xor({ noise: { perCorner: 20, std: 0.2 }, seed })
 */
export function xor({ noise, seed = 0 }: XorOptions = {}): Dataset {
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
 * XOR for several networks that are trained at once: sample i holds the i-th point of every one's own data, [networks, 2], and
 * they share its label.
 *
 * @param seeds of each network's data
 * @example xorOfEach([0, 1, 2], { perCorner: 20, std: 0.2 })
 */
export function xorOfEach(seeds: readonly number[], noise?: XorOptions['noise']): Dataset {
  if (seeds.length === 0) throw new WeirError('XOR for no network was asked for', 'give a seed at least');
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
