import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, map, toArray } from 'rxjs';
import { afterAll, expect, test } from 'vitest';
import { augment } from '../../src/data/augment/augment.js';
import { unitScale } from '../../src/data/augment/ops/normalize.js';
import { batch, type Samples } from '../../src/data/batch.js';
import { xor } from '../../src/data/datasets/synthetic.js';
import { loader } from '../../src/data/loader.js';
import { replay } from '../../src/data/replay.js';
import { Flow } from '../../src/flow/flow.js';
import { readRecording } from '../../src/storage/recording-reader.js';
import { RecordingWriter, recordEdge } from '../../src/storage/recording-writer.js';
import { marbles } from '../marbles.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-record-'));
afterAll(() => rmSync(folder, { recursive: true }));

const batches = () =>
  loader(xor({ noise: {} }), { epochs: 3, seed: 5, block: 7 }).pipe(
    augment([unitScale()].slice(1), { seed: 5 }),
    batch(16),
  );

test('every item of an edge is recorded, and replayed the same', async () => {
  const file = join(folder, 'batches.weirrec');
  const got: Samples[] = [];
  const out$ = batches().pipe(
    map((samples) => {
      got.push(samples);
      return samples;
    }),
  );
  const flow = new Flow({ out$ });
  let complete = 0;
  const end = recordEdge(flow, 'batch', file, { pipeline: 'xor', items: 1000, complete: () => complete++ });
  await flow.start();
  end();
  expect(complete).toBe(0); // fewer than a thousand came
  expect(readRecording(file).header).toMatchObject({ edge: 'batch', pipeline: 'xor' });
  const classes = { of: 'xor/noisy', names: ['same', 'different'] };
  const headers = [{ classes, samples: 80, epochs: 3, batches: { count: 5, size: 16, last: 16 } }];
  expect(readRecording(file).header.headers).toEqual(headers); // what is known before the first item goes with them
  const again = new Flow({ again$: replay<Samples>(file) });
  again.introduce();
  expect(again.nodes.at(-1)!.headers).toEqual(headers);
  again.close();
  expect(got).toHaveLength(15);
  expect(await lastValueFrom(replay<Samples>(file).pipe(toArray()))).toEqual(got);
});

test('a node that the graph does not have is refused with those it has', () => {
  const flow = new Flow({ out$: batches() });
  const options = { pipeline: 'xor', items: 1, complete: () => undefined };
  expect(() => recordEdge(flow, 'bach', join(folder, 'x'), options)).toThrow("no edge after 'bach'");
  flow.close();
});

test('at the recorded pace, pauses are virtual time under the TestScheduler', () => {
  const file = join(folder, 'paced.weirrec');
  const writer = RecordingWriter.create(file, { edge: 'e', pipeline: 'p', createdAt: '' });
  for (const [position, time] of [
    [1, 0],
    [2, 3],
    [3, 5],
  ] as const)
    writer.append(position, time, { position });
  writer.end();
  marbles().run(({ expectObservable }) => {
    const letters$ = replay<{ position: number }>(file, { pace: 'recorded' }).pipe(
      map(({ position }) => ' abc'[position]),
    );
    expectObservable(letters$).toBe('a--b-(c|)');
  });
});

test('gaps and torn ends are refused, unless they are allowed', async () => {
  const file = join(folder, 'gaps.weirrec');
  const writer = RecordingWriter.create(file, { edge: 'e', pipeline: 'p', createdAt: '' });
  writer.append(1, 0, { position: 1 });
  writer.gap(4, 1, 3);
  writer.append(5, 2, { position: 5 });
  writer.end();
  const play = (options = {}) => lastValueFrom(replay<{ position: number }>(file, options).pipe(toArray()));
  await expect(play()).rejects.toThrow('lacks 3 items after position 4');
  expect(await play({ gaps: 'allow' })).toHaveLength(2);

  writeFileSync(file, readFileSync(file).subarray(0, -60));
  await expect(play({})).rejects.toThrow(file);
});

test('the fixture of digits that comes with Weir is what its README says', async () => {
  const file = join(import.meta.dirname, '../../fixtures/mnist-batches.weirrec');
  const got = await lastValueFrom(replay<Samples>(file).pipe(toArray()));
  expect(got).toHaveLength(2);
  expect(got[0]).toMatchObject({ position: 32, epoch: 1, remaining: 8000 - 32, sampleShape: [28, 28, 1] });
  expect(got[0]!.values).toHaveLength(32 * 784);
  expect(Math.max(...got[0]!.values)).toBe(1);
});
