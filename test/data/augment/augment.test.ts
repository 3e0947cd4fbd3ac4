import { createHash } from 'node:crypto';
import { concatWith, from, lastValueFrom, NEVER, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { type AugmentOptions, augment } from '../../../src/data/augment/augment.js';
import { randomCrop } from '../../../src/data/augment/ops/crop.js';
import { horizontalFlip } from '../../../src/data/augment/ops/horizontal-flip.js';
import { gaussianNoise } from '../../../src/data/augment/ops/noise.js';
import { unitScale } from '../../../src/data/augment/ops/normalize.js';
import type { Samples } from '../../../src/data/batch.js';
import { type Dataset, sharedBytes } from '../../../src/data/dataset.js';
import { type Block, permutation } from '../../../src/data/loader.js';
import type { Fault } from './fixtures/faulty.js';

const size = 300;
const values = sharedBytes(size * 48).map((_, i) => (i * 31) % 256);
const dataset: Dataset = {
  name: 'test',
  size,
  sampleShape: [4, 4, 3],
  classes: ['a', 'b'],
  values,
  labels: sharedBytes(size).map((_, i) => i % 2),
};
const blocks: Block[] = [1, 2].flatMap((epoch) =>
  Array.from({ length: 30 }, (_, b) => ({
    position: (epoch - 1) * size + 10 * (b + 1),
    dataset,
    epoch,
    remaining: size - 10 * (b + 1),
    indices: Uint32Array.from({ length: 10 }, (_, i) => permutation(size, 0, epoch)(10 * b + i)),
  })),
);
const recipe = [randomCrop({ padding: 1 }), horizontalFlip(), unitScale(), gaussianNoise({ std: 0.1 })];

const fault = (kind: Fault['kind'], index: number, times = 1): Fault => ({
  kind,
  index,
  left: new Int32Array(new SharedArrayBuffer(4)).fill(times),
});
const faulty = (...data: Fault[]): Partial<AugmentOptions> => ({
  worker: { file: new URL('./fixtures/faulty.ts', import.meta.url), data },
});
const run = (options: Partial<AugmentOptions>) =>
  lastValueFrom(from(blocks).pipe(augment(recipe, { seed: 5, limit: 600, ...options }), toArray()));
const digest = (stream: readonly Samples[]) => {
  const hash = createHash('sha256');
  for (const { position, indices, labels, values } of stream)
    hash.update(`${position}`).update(indices).update(labels).update(values);
  return hash.digest('hex');
};

const plain = run({ threads: 1 });

test('1, 2 and 4 threads with random delays give the same stream', async () => {
  const wanted = digest(await plain);
  for (const threads of [2, 4])
    expect(digest(await run({ threads, ...faulty(fault('delay', -1, 1000)) }))).toBe(wanted);
});

test('items come in order, each with what its block said', async () => {
  const stream = await plain;
  expect(stream.map(({ position }) => position)).toEqual(blocks.map(({ position }) => position));
  expect(stream[7]).toMatchObject({ epoch: 1, remaining: 220, indices: blocks[7]!.indices, sampleShape: [4, 4, 3] });
  expect([...stream[7]!.labels]).toEqual(Array.from(blocks[7]!.indices, (i) => i % 2));
});

test('a thread that dies and one that hangs cost no bit', async () => {
  const faults = faulty(fault('exit', 17), fault('hang', 44));
  expect(digest(await run({ threads: 1, patience: 1500, ...faults }))).toBe(digest(await plain));
});

test('a sample that fails by itself, or ends each thread that takes it, is named', async () => {
  await expect(run({ threads: 1, ...faulty(fault('throw', 17, 100)) })).rejects.toThrow(
    "reading failed on sample 17 of 'test' in epoch 1: a spot on the lens",
  );
  await expect(run({ threads: 1, ...faulty(fault('exit', 17, 100)) })).rejects.toThrow(
    /^sample 17 of 'test' ended 3 worker threads in epoch 1/,
  );
});

test('threads that cannot start end the stream with their error', async () => {
  const worker = { file: new URL('./fixtures/stillborn.ts', import.meta.url) };
  await expect(run({ threads: 1, worker })).rejects.toThrow(/^the worker threads for augmentation do not start: /);
});

test('unsubscribing ends a stream whose threads hang', async () => {
  const seen: number[] = [];
  const source = from(blocks.slice(0, 4)).pipe(concatWith(NEVER));
  await new Promise<void>((resolve) => {
    const subscription = source
      .pipe(augment(recipe, { seed: 5, threads: 1, ...faulty(fault('hang', blocks[1]!.indices[0]!)) }))
      .subscribe(({ position }) => {
        seen.push(position);
        setTimeout(() => {
          subscription.unsubscribe();
          resolve();
        }, 50);
      });
  });
  expect(seen).toEqual([10]);
});

test('light recipes run inline, at once', () => {
  const seen: number[] = [];
  from(blocks.slice(0, 3))
    .pipe(augment([unitScale()], { seed: 0 }))
    .subscribe(({ position, values }) => seen.push(position, values.length));
  expect(seen).toEqual([10, 480, 20, 480, 30, 480]);
});
