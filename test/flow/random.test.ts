import { expect, test } from 'vitest';
import { block, keyed, seeds, threefry } from '../../src/flow/random.js';

// Random123's published known answers (kat_vectors, "threefry2x32 20"): counter, key, result.
test.each([
  [0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x6b200159, 0x99ba4efe],
  [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
  [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xc4923a9c, 0x483df7a0],
])('threefry2x32-20 of counter %i %i', (c0, c1, k0, k1, x0, x1) => {
  threefry(k0, k1, c0, c1);
  expect([block.x0 >>> 0, block.x1 >>> 0]).toEqual([x0, x1]);
});

test('the same key gives the same stream, whatever else is drawn meanwhile', () => {
  const first = keyed(7, 'test', 1, 2);
  const again = keyed(7, 'test', 1, 2);
  const other = keyed(7, 'test', 1, 3);
  for (let i = 0; i < 100; i++) {
    const wanted = first.uint32();
    other.normal();
    expect(again.uint32()).toBe(wanted);
  }
});

test('streams differ by seed, purpose, counters, their order and their number', () => {
  const keys: [number, string, ...number[]][] = [
    ...Array.from({ length: 200 }, (_, i): [number, string, number] => [0, 'test', i]),
    ...[1, -1, 2 ** 32, 2 ** 40 + 1].map((seed): [number, string, number] => [seed, 'test', 0]),
    ...['', 't', 'tes', 'tess', 'test/longer', 'test\0'].map((p): [number, string, number] => [0, p, 0]),
    [0, 'test'],
    [0, 'test', 0, 0],
    [0, 'test', 0, 1],
    [0, 'test', 1, 0],
    [0, 'test', 2 ** 32],
    [0, 'test', -1],
  ];
  const starts = keys.map((key) => seeds(...key).join());
  expect(new Set(starts).size).toBe(keys.length);
});

test('uniform and normal numbers have the moments of their distributions', () => {
  const n = 200_000;
  const random = keyed(3, 'moments');
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const x = random.uniform();
    if (x < 0 || x >= 1) throw new Error(`${x} is outside [0, 1)`);
    sum += x;
    squares += x * x;
  }
  expect(Math.abs(sum / n - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
  expect(Math.abs(squares / n - 1 / 3)).toBeLessThan(4 * Math.sqrt(4 / 45 / n));

  const power = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const x = random.normal();
    for (let k = 1; k <= 4; k++) power[k]! += x ** k / n;
  }
  expect(Math.abs(power[1]!)).toBeLessThan(4 / Math.sqrt(n));
  expect(Math.abs(power[2]! - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  expect(Math.abs(power[3]!)).toBeLessThan(4 * Math.sqrt(15 / n));
  expect(Math.abs(power[4]! - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
});

test('neighboring keys are uncorrelated', () => {
  const n = 50_000;
  let product = 0;
  for (let i = 0; i < n; i++) product += keyed(0, 'test', i).normal() * keyed(0, 'test', i + 1).normal();
  expect(Math.abs(product / n)).toBeLessThan(4 / Math.sqrt(n));
});

test('an integer below n is unbiased', () => {
  const random = keyed(5, 'integers');
  const counts = new Array<number>(6).fill(0);
  for (let i = 0; i < 60_000; i++) counts[random.integer(6)]!++;
  const chi2 = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  expect(chi2).toBeLessThan(20.5); // 5 degrees of freedom, p = 0.001
  expect(random.integer(1)).toBe(0);
});

test('a seed that is no integer is refused', () => {
  expect(() => keyed(0.5, 'test')).toThrow('a seed of 0.5 was given');
});
