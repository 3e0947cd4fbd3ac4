import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatMap, delay, from, map, NEVER, type OperatorFunction, of, pipe, skip, take } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as weir from '../../../src/index.js';
import { crc32 } from '../../../src/storage/digest.js';
import {
  expectReplay,
  loadTensorFlow,
  Mismatch,
  RecordingWriter,
  readRecording,
  type WeirError,
} from '../../../src/testing.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-expect-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fixture = (name: string): string => join(import.meta.dirname, '../../../fixtures', `${name}.weirrec`);
const input = fixture('mnist-samples');
const output = fixture('mnist-batches-of-12');

const failure = (promise: Promise<unknown>): Promise<WeirError> =>
  promise.then(
    () => Promise.reject(new Error('did not fail')),
    (error) => error,
  );

/** Changes each item on the way. */
const changed = (change: (item: weir.Samples, i: number) => unknown): OperatorFunction<weir.Samples, unknown> =>
  pipe(weir.batch(12), map(change));

test('batches of 12 are those of the recording', () => expectReplay(weir.batch(12), { input, output }));

describe('a network learns XOR as it did', () => {
  beforeAll(() => loadTensorFlow());

  const learn = () =>
    weir.train(weir.mlp([2, 4, 2]), {
      loss: weir.crossEntropy(),
      optimizer: weir.sgd({ rate: 0.5, momentum: 0.9 }),
      seed: 1,
    });
  const files = { input: fixture('xor-batches'), output: fixture('xor-updates') };

  test('weights and losses, up to the rounding of another machine', () =>
    expectReplay(learn(), { ...files, tolerance: 1e-5 }));

  test('a weight that is off is named, with how far and how many', async () => {
    const other = learn();
    const off = pipe(
      other,
      map((update) => ({
        ...update,
        weights: new Map(
          [...update.weights].map(([name, tensor]) => [name, name.endsWith('bias') ? tensor : tensor.mul(1.001)]),
        ),
      })),
    );
    const error = await failure(expectReplay(off, { ...files, tolerance: 1e-5 }));
    expect(error).toBeInstanceOf(Mismatch);
    expect(error.message).toMatch(
      /^item 0 \(position 0\) of .*xor-updates.weirrec differs in 'weights.hidden1\/kernel.values\[\d\]': recorded -?[\d.]+, replayed -?[\d.]+ \(\d of its 8 elements differ, by [\d.e-]+ at most\); the tolerance is 0.00001$/,
    );
  });
});

describe('the first item that differs is named, with field and both values', () => {
  test.each<[string, OperatorFunction<weir.Samples, unknown>, RegExp]>([
    [
      'an element',
      changed((item, i) => (i === 1 ? { ...item, values: item.values.map((x, at) => (at === 300 ? 2 : x)) } : item)),
      /^item 1 \(position 24\) of .* differs in 'values\[300\]': recorded [\d.]+, replayed 2 \(1 of its 9408 elements differ, by [\d.]+ at most\)$/,
    ],
    [
      'a length',
      changed((item) => ({ ...item, labels: item.labels.slice(1) })),
      /^item 0 \(position 12\) of .* differs in 'labels': recorded Uint8Array of 12, replayed Uint8Array of 11$/,
    ],
    [
      'a type',
      changed((item) => ({ ...item, labels: Uint16Array.from(item.labels) })),
      /'labels': recorded Uint8Array of 12, replayed Uint16Array of 12$/,
    ],
    ['a number', changed((item) => ({ ...item, remaining: 1 })), /'remaining': recorded 7988, replayed 1$/],
    [
      'a list',
      changed((item) => ({ ...item, sampleShape: [28, 28, 2] })),
      /'sampleShape\[2\]': recorded 1, replayed 2$/,
    ],
    ['a field too many', changed((item) => ({ ...item, more: 'x' })), /'more': recorded nothing, replayed "x"$/],
    ['a field too few', changed(({ epoch: _, ...item }) => item), /'epoch': recorded 1, replayed nothing$/],
    ['another thing altogether', changed(() => -0), /differs: recorded a record of position, .*, replayed -0$/],
    [
      'an item too few',
      pipe(weir.batch(12), take(1)),
      /^the stage ended after 1 items: it did not make item 1 \(position 24\) of /,
    ],
    [
      'an item too many',
      pipe(
        weir.batch(12),
        concatMap((item) => from([item, item])),
        skip(1),
        take(3),
      ),
      /^the stage made an item 2 that .* has not: it holds 2$/,
    ],
  ])('%s', async (_, stage, message) => {
    const error = await failure(expectReplay(stage, { input, output }));
    expect(error.message).toMatch(message);
    expect(error).toBeInstanceOf(Mismatch);
    expect(error.remedy).toContain('WEIR_RECORD=1');
  });
});

/** Items of one number each. */
function recorded(name: string, ...values: number[]): string {
  const file = join(folder, `${name}.weirrec`);
  const writer = RecordingWriter.create(file, { edge: 'numbers', pipeline: 'test', createdAt: '' });
  for (const [i, value] of values.entries()) writer.append(i + 1, 10 * i, { position: i + 1, value });
  writer.end();
  return file;
}
type Number = { readonly position: number; readonly value: number };
const same = map((item: Number) => item);

test('a tolerance is absolute below 1 and a share above; positions are never let off', async () => {
  const wanted = recorded('wanted', 0.5, 1000, Number.NaN);
  const near = recorded('near', 0.5009, 1000.9, Number.NaN);
  await expectReplay(same, { input: near, output: wanted, tolerance: 1e-3 });
  for (const tolerance of [0, 1e-4]) {
    expect((await failure(expectReplay(same, { input: near, output: wanted, tolerance }))).message).toContain(
      "in 'value'",
    );
  }
  const shifted = map((item: Number) => ({ ...item, position: item.position + 1e-4 }));
  expect((await failure(expectReplay(shifted, { input: wanted, output: wanted, tolerance: 1 }))).message).toContain(
    "'position': recorded 1, replayed 1.0001",
  );
});

test('hours pass at once, and when items come can be compared too', async () => {
  const hours = pipe(concatMap((item: Number) => of(item).pipe(delay(3_600_000))));
  const files = { input: recorded('now', 1, 2), output: join(folder, 'later.weirrec'), pace: 'recorded' } as const;
  await expectReplay(hours, { ...files, record: true });
  const frames = [...readRecording(files.output).frames];
  expect(frames.map((frame) => frame.kind === 'item' && frame.time)).toEqual([3_600_000, 7_200_000]);
  expect(readRecording(files.output).header).toMatchObject({ edge: 'test of what follows numbers', pipeline: 'test' });
  await expectReplay(hours, { ...files, times: true });
  await expectReplay(same, files);
  expect((await failure(expectReplay(same, { ...files, times: true }))).message).toMatch(
    /^item 0 \(position 1\) of .* arrived after 0 ms, recorded 3600000 ms$/,
  );
});

test('outputs of promises are awaited, and a stage that does not end is stuck', async () => {
  const file = recorded('plain', 1, 2, 3);
  const slow = concatMap(async (item: Number) => {
    await new Promise((next) => setTimeout(next, 20));
    return item;
  });
  await expectReplay(slow, { input: file, output: file });
  const stuck = concatMap(() => NEVER);
  expect((await failure(expectReplay(stuck, { input: file, output: file, patience: 0.05 }))).message).toBe(
    'the stage neither handed on an item nor ended for 0.05 s',
  );
});

test('an error of the stage is the error of the test', async () => {
  const file = recorded('failing', 1);
  const fails = map((): Number => {
    throw new TypeError('no such thing');
  });
  await expect(expectReplay(fails, { input: file, output: file })).rejects.toThrow(new TypeError('no such thing'));
});

test('an output that is missing, torn or of another format is refused with the remedy', async () => {
  const none = await failure(expectReplay(same, { input: recorded('there', 1), output: join(folder, 'none') }));
  expect([none.message, none.remedy]).toEqual([
    expect.stringContaining('there is no recording'),
    'run this test once with WEIR_RECORD=1: that makes it',
  ]);
  const torn = join(folder, 'torn.weirrec');
  writeFileSync(torn, readFileSync(output).subarray(0, -40));
  expect((await failure(expectReplay(weir.batch(12), { input, output: torn }))).message).toContain('was broken off');
  const newer = join(folder, 'newer.weirrec');
  copyFileSync(output, newer);
  const bytes = readFileSync(newer);
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  writeFileSync(newer, bytes);
  for (const files of [
    { input, output: newer },
    { input: newer, output },
  ]) {
    const error = await failure(expectReplay(weir.batch(12), files));
    expect(error.message).toContain('is of a newer format, version 2: this Weir reads version 1');
    expect(error.remedy).toContain('update Weir');
  }
});
