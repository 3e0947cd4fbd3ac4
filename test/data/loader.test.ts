import fc from 'fast-check';
import { expect, test } from 'vitest';
import { permutation } from '../../src/data/loader.js';

const order = (n: number, seed: number, epoch: number) =>
  Array.from({ length: n }, (_, i) => permutation(n, seed, epoch)(i));

test.each([1, 2, 3, 4, 5, 80, 999, 8000, 60_000])('%i places hold every sample once', (n) => {
  const at = permutation(n, 1, 1);
  const seen = new Uint8Array(n);
  for (let i = 0; i < n; i++) seen[at(i)]!++;
  expect(seen.every((count) => count === 1)).toBe(true);
});

test('any n, seed and epoch give a permutation', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.maxSafeInteger(), fc.nat(), (n, seed, epoch) => {
      expect(new Set(order(n, seed, epoch)).size).toBe(n);
    }),
    { numRuns: 60 },
  );
});

test('a place is found alone as it is in passing', () => {
  const whole = permutation(60_000, 7, 3);
  for (let i = 0; i < 41_234; i++) whole(i);
  expect(permutation(60_000, 7, 3)(41_234)).toBe(whole(41_234));
});

test('epochs and seeds differ, and neighbors part', () => {
  const n = 10_000;
  const [a, b, c] = [order(n, 1, 1), order(n, 1, 2), order(n, 2, 1)];
  const same = (x: number[], y: number[]) => x.filter((value, i) => value === y[i]).length;
  expect(same(a, b)).toBeLessThan(10); // one is expected
  expect(same(a, c)).toBeLessThan(10);
  expect(a.filter((value, i) => i > 0 && Math.abs(value - a[i - 1]!) === 1).length).toBeLessThan(15); // two are expected
});

test('the four points of XOR come in each of the 24 orders about equally often', () => {
  const epochs = 4800;
  const counts = new Map<string, number>();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const key = order(4, 0, epoch).join('');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
  expect(chi2).toBeLessThan(49.7); // 23 degrees of freedom, p = 0.001
});
