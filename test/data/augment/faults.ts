import { createHash } from 'node:crypto';
import { from, lastValueFrom, toArray } from 'rxjs';
import { type AugmentOptions, augment } from '../../../src/data/augment/augment.js';
import { randomCrop } from '../../../src/data/augment/ops/crop.js';
import { gaussianNoise } from '../../../src/data/augment/ops/noise.js';
import { unitScale } from '../../../src/data/augment/ops/normalize.js';
import { type Dataset, sharedBytes } from '../../../src/data/dataset.js';
import { randomOf } from '../../fuzz/fuzz.js';
import type { Fault } from './fixtures/faulty.js';

export const faultKinds = ['throw', 'exit', 'memory', 'hang'] as const;

const recipe = [randomCrop({ padding: 1 }), unitScale(), gaussianNoise({ std: 0.1 })];

/**
 * Augments `items` samples, in blocks of 10 on two threads, of which 5 % misbehave once as `kind` says; or those `at` given places.
 *
 * @returns SHA-256 of all that came out, and how many faults took place
 */
export async function withFaults(
  items: number,
  kind?: Fault['kind'],
  { seed = 1, at }: { seed?: number; at?: readonly number[] } = {},
): Promise<{ sha256: string; faults: number }> {
  const dataset: Dataset = {
    ...{ name: 'test', size: items, sampleShape: [4, 4, 3], classes: ['a', 'b'] },
    values: sharedBytes(items * 48).map((_, i) => (i * 31) % 256),
    labels: sharedBytes(items),
  };
  const random = randomOf(seed);
  const chosen = new Set(at);
  while (kind !== undefined && at === undefined && chosen.size < items / 20) chosen.add(random(items));
  const faults = [...chosen].map((index): Fault => {
    return { kind: kind ?? 'throw', index, left: new Int32Array(new SharedArrayBuffer(4)).fill(1) };
  });
  const blocks = Array.from({ length: items / 10 }, (_, b) => ({
    ...{ position: 10 * (b + 1), dataset, epoch: 1, remaining: items - 10 * (b + 1) },
    indices: Uint32Array.from({ length: 10 }, (_, i) => 10 * b + i),
  }));
  const options: AugmentOptions = {
    ...{ seed: 5, threads: 2, limit: items, patience: 2000 },
    worker: {
      file: new URL('./fixtures/faulty.ts', import.meta.url),
      data: faults,
      resourceLimits: { maxOldGenerationSizeMb: 96 }, // so that little work fills it
    },
  };
  const stream = await lastValueFrom(from(blocks).pipe(augment(recipe, options), toArray()));
  const hash = createHash('sha256');
  for (const { position, indices, values } of stream) hash.update(`${position}`).update(indices).update(values);
  return { sha256: hash.digest('hex'), faults: faults.filter(({ left }) => left[0]! < 1).length };
}
