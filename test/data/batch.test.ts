import fc from 'fast-check';
import { from, lastValueFrom, type Observable, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { augment } from '../../src/data/augment/augment.js';
import { batch, type Samples } from '../../src/data/batch.js';
import { type Dataset, sharedBytes, sharedFloats } from '../../src/data/dataset.js';
import { loader } from '../../src/data/loader.js';
import { stage } from '../../src/flow/stage.js';

function numbers(size: number): Dataset {
  const values = sharedFloats(size);
  const labels = sharedBytes(size);
  for (let i = 0; i < size; i++) {
    values[i] = i;
    labels[i] = i % 2;
  }
  return { name: 'numbers', size, sampleShape: [1], classes: ['even', 'odd'], values, labels };
}

test('every sample comes once an epoch; batches are full, never span epochs, and know what is left of theirs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom('keep' as const, 'drop' as const),
      async (size, block, wanted, epochs, partial) => {
        fc.pre(partial === 'keep' || size >= wanted); // else there is no batch, and that is refused
        const batches$ = loader(numbers(size), { epochs, seed: 1, block }).pipe(
          augment([], { seed: 1 }),
          batch(wanted, { partial }),
        );
        const batches = await lastValueFrom(batches$.pipe(toArray()), { defaultValue: [] });
        for (let epoch = 1; epoch <= epochs; epoch++) {
          const own = batches.filter((one) => one.epoch === epoch);
          const lengths = own.map(({ labels }) => labels.length);
          const full = Math.floor(size / wanted);
          const rest = partial === 'keep' && size % wanted > 0 ? [size % wanted] : [];
          expect(lengths).toEqual([...Array<number>(full).fill(wanted), ...rest]);
          expect(own.map(({ remaining }) => remaining === 0)).toEqual(own.map((_, i) => i === own.length - 1));
          const seen = own.flatMap(({ values }) => [...values]);
          expect(new Set(seen).size).toBe(partial === 'keep' ? size : full * wanted);
          for (const one of own) {
            expect([...one.values]).toEqual([...one.indices]);
            expect([...one.labels]).toEqual([...one.indices].map((i) => i % 2));
          }
          if (partial === 'keep' && own.length > 0) expect(own.at(-1)!.position).toBe(epoch * size);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a batch of no size, blocks of none and an empty data set are refused at once', () => {
  expect(() => batch(0)).toThrow("'batch' was asked for batches of 0 samples");
  expect(() => loader(numbers(3), { epochs: 1, seed: 0, block: 0.5 })).toThrow('blocks of 0.5 samples');
  expect(() => loader(numbers(0), { epochs: 1, seed: 0 })).toThrow("data set 'numbers' is empty");
});

test('what a user cut short is handed on as a smaller batch', async () => {
  const piece = (position: number): Samples => ({
    ...{ position, epoch: 1, remaining: 10 - position, sampleShape: [1] },
    indices: Uint32Array.of(position),
    values: Float32Array.of(position),
    labels: Uint8Array.of(0),
  });
  const batches = await lastValueFrom(from([piece(1), piece(2), piece(3)]).pipe(batch(2), toArray()));
  expect(batches.map(({ values }) => [...values])).toEqual([[1, 2], [3]]);
});

test('a data set that fills no batch, where short batches are dropped, is an error at its first samples', async () => {
  const batches$ = loader(numbers(5), { epochs: 3, seed: 1 }).pipe(
    augment([], { seed: 1 }),
    batch(8, { partial: 'drop' }),
  );
  await expect(lastValueFrom(batches$)).rejects.toMatchObject({
    message:
      "'batch' makes batches of 8 samples and drops smaller ones, but an epoch has 5 samples: there would be no batch",
    remedy: expect.stringContaining('--set batchSize=5'),
  });
});

test.each([
  [10, 4, 'keep', { count: 3, size: 4, last: 2 }],
  [10, 4, 'drop', { count: 2, size: 4, last: 4 }],
  [8, 4, 'keep', { count: 2, size: 4, last: 4 }],
  [3, 4, 'keep', { count: 1, size: 3, last: 3 }],
] as const)(
  '%d samples in batches of %d (%s): every batch knows the sizes of all',
  async (size, wanted, partial, sizes) => {
    const batches$ = loader(numbers(size), { epochs: 2, seed: 1, block: 3 }).pipe(
      augment([], { seed: 1 }),
      batch(wanted, { partial }),
      toArray(),
    );
    for (const { batches } of await lastValueFrom(batches$)) {
      expect(batches).toEqual(sizes);
    }
  },
);

test('samples that share positions are refused: a batch could not say which of them were trained', async () => {
  const twice = stage<Samples, Samples, null>({
    name: 'twice',
    start: () => null,
    *next(state, samples) {
      yield [state, samples];
      yield [state, samples];
    },
  });
  const blocks$ = loader(numbers(20), { epochs: 1, seed: 1, block: 4 }).pipe(augment([], { seed: 1 }));
  await expect(lastValueFrom(blocks$.pipe(twice, batch(5)))).rejects.toMatchObject({
    message: "'batch' was handed 4 samples at position 4 where 0 are due: each needs a position of its own",
    remedy: expect.stringContaining('weir.views'),
  });
});

test('a block of the loader holds no values yet: it is refused, and the message names the stage that reads it', async () => {
  const blocks$ = loader(numbers(20), { epochs: 1, seed: 1, block: 4 }) as unknown as Observable<Samples>;
  await expect(lastValueFrom(blocks$.pipe(batch(5)))).rejects.toMatchObject({
    message: expect.stringContaining("'batch' was handed something without values at position 4"),
    remedy: expect.stringContaining('weir.augment'),
  });
});
