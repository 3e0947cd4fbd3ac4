import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { augment } from '../../src/data/augment/augment.js';
import { batch, type Samples } from '../../src/data/batch.js';
import { loader, withShare } from '../../src/data/loader.js';
import { Flow } from '../../src/flow/flow.js';
import { stage } from '../../src/flow/stage.js';

/** A data set whose sample i holds the number i. */
const numbers = (size: number) => ({
  name: 'numbers',
  size,
  sampleShape: [1],
  classes: ['one'],
  labels: new Uint8Array(size),
  values: Float32Array.from({ length: size }, (_, i) => i),
});

interface Asked {
  readonly size: number;
  readonly batchSize: number;
  readonly block: number;
  readonly partial: 'keep' | 'drop';
}

/** The batches that rank `rank` of `ranks` gets in two epochs; with `after`, those that come when a snapshot there is gone on from. */
async function batchesOf({ size, batchSize, block, partial }: Asked, rank: number, ranks: number, after = 0) {
  const found: Samples[] = [];
  const keep = stage<Samples, Samples, null>({
    name: 'keep',
    start: () => null,
    next: (none, samples) => {
      found.push(samples);
      return [none, samples];
    },
  });
  const graph = () => ({
    out$: loader(numbers(size), { epochs: 2, seed: 1, block }).pipe(
      augment([], { seed: 1 }),
      batch(batchSize, { partial }),
      keep,
    ),
  });
  const flow = withShare({ rank, ranks }, () => new Flow(graph()));
  if (after > 0) {
    const { nodes } = flow.save();
    const at = Object.entries(nodes).map(([name, node]) => [name, { ...node, position: after, handled: after }]);
    flow.load({ nodes: Object.fromEntries(at) });
  }
  await flow.start();
  return found;
}

const asked = fc
  .record({
    size: fc.integer({ min: 1, max: 60 }),
    batchSize: fc.integer({ min: 1, max: 4 }).map((n) => 12 * n),
    block: fc.integer({ min: 1, max: 20 }),
    partial: fc.constantFrom('keep' as const, 'drop' as const),
  })
  .filter(({ size, batchSize, partial }) => partial === 'keep' || size >= batchSize); // else there is no batch, and that is refused

describe('ranks that share batches', () => {
  test('meet the same batches as one process alone, each sample once', () =>
    fc.assert(
      fc.asyncProperty(asked, fc.constantFrom(2, 3, 4), async (one, ranks) => {
        const whole = await batchesOf(one, 0, 1);
        const shares: Samples[][] = [];
        for (let rank = 0; rank < ranks; rank++) shares.push(await batchesOf(one, rank, ranks));
        for (const [i, { position, remaining, epoch, indices }] of whole.entries()) {
          const parts = shares.map((batches) => batches[i]!);
          for (const part of parts) {
            expect([part.position, part.remaining, part.epoch]).toEqual([position, remaining, epoch]);
            expect(part.shared).toBe(indices.length);
          }
          const interleaved = Array.from(indices, (_, k) => parts[k % ranks]!.indices[Math.floor(k / ranks)]);
          expect(interleaved).toEqual([...indices]);
        }
        expect(new Set([whole.length, ...shares.map((batches) => batches.length)]).size).toBe(1);
      }),
      { numRuns: 60 },
    ));

  test('go on from any update to the batches that follow', () =>
    fc.assert(
      fc.asyncProperty(asked, fc.constantFrom(2, 3), fc.nat(), async (one, ranks, at) => {
        for (let rank = 0; rank < ranks; rank++) {
          const all = await batchesOf(one, rank, ranks);
          if (all.length === 0) return;
          const i = at % all.length;
          const rest = await batchesOf(one, rank, ranks, all[i]!.position);
          expect(rest.map(({ indices }) => [...indices])).toEqual(all.slice(i + 1).map(({ indices }) => [...indices]));
        }
      }),
      { numRuns: 40 },
    ));

  test('cannot share a batch that they do not divide', async () => {
    const one = { size: 20, batchSize: 10, block: 5, partial: 'keep' } as const;
    await expect(batchesOf(one, 0, 3)).rejects.toThrow(
      "'batch' makes batches of 10 samples, which 3 ranks cannot share evenly",
    );
  });
});
