import { map, range } from 'rxjs';
import { expect, test } from 'vitest';
import type { Data } from '../../src/flow/data.js';
import { Tap, type TapPolicy, tap } from '../../src/flow/tap.js';

const breath = () => new Promise((resolve) => setImmediate(resolve));

/** What a reader gets of 1 … 10 that come at once. */
async function read(policy: TapPolicy): Promise<{ got: Data[]; tap: Tap }> {
  const got: Data[] = [];
  const tap = new Tap('numbers', policy, (item) => void got.push(item));
  for (let i = 1; i <= 10; i++) tap.see(i);
  await breath();
  await breath();
  return { got, tap };
}

test('latest keeps the newest, sample of every k-th, a buffer the last n; what had to make way is counted', async () => {
  const latest = await read({ keep: 'latest' });
  expect(latest.got).toEqual([10]);
  expect(latest.tap).toMatchObject({ seen: 10, read: 1, dropped: 9 });
  expect((await read({ keep: 'sample', every: 4 })).got).toEqual([9]);
  expect((await read({ keep: 'buffer', size: 3 })).got).toEqual([8, 9, 10]);
});

test('a reader that never returns holds up nothing and keeps no more than its policy says', async () => {
  let calls = 0;
  const tap = new Tap('stuck', { keep: 'buffer', size: 5 }, () => {
    calls++;
    return new Promise(() => undefined);
  });
  for (let i = 0; i < 100_000; i++) tap.see({ i });
  await breath();
  for (let i = 0; i < 100_000; i++) tap.see({ i });
  expect(calls).toBe(1);
  expect(tap.dropped).toBe(200_000 - 1 - 5);
});

test('a reader sees a copy of plain data: no tensors, no functions, nothing it could change', async () => {
  const item = { values: Float32Array.of(1, 2), nested: { label: 3 }, loss: () => 1, weights: new Map() };
  let seen: Data;
  const tap = new Tap('items', { keep: 'latest' }, (data) => {
    seen = data;
  });
  tap.see(item);
  await breath();
  (seen as unknown as typeof item).nested.label = 9;
  expect(item.nested.label).toBe(3);
  (seen as unknown as typeof item).nested.label = 3;
  expect(seen).toEqual({ values: Float32Array.of(1, 2), nested: { label: 3 } });
});

test('a reader that throws costs an item, and the stream nothing', async () => {
  const through: number[] = [];
  range(1, 5)
    .pipe(
      tap('faulty', { keep: 'latest' }, () => {
        throw new Error('no');
      }),
      map((i) => through.push(i)),
    )
    .subscribe();
  await breath();
  expect(through).toEqual([1, 2, 3, 4, 5]);
});

test('a policy that keeps nothing is refused', () => {
  expect(() => new Tap('t', { keep: 'buffer', size: 0 }, () => undefined)).toThrow("tap 't' has size 0");
});
