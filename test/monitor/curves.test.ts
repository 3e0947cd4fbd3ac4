import { expect, test } from 'vitest';
import { type Bucket, ThinnedCurve } from '../../src/monitor/curves.js';

test('a short curve is kept point by point', () => {
  const curve = new ThinnedCurve(4);
  for (const [x, y] of [
    [0, 3],
    [1, 2],
    [5, 1],
  ] as const) {
    curve.add(x, y);
  }
  expect(curve.curve).toEqual({
    width: 1,
    buckets: [
      [0, 3, 3, 3],
      [1, 2, 2, 2],
      [5, 1, 1, 1],
    ],
  });
});

test('a long one is bounded, and no peak is thinned away', () => {
  const curve = new ThinnedCurve(100);
  for (let x = 0; x < 100_000; x++) curve.add(x, x === 54_321 ? 1e9 : x === 77 ? -1e9 : Math.sin(x));
  const { buckets, width } = curve.curve;
  expect(buckets.length).toBeLessThanOrEqual(100);
  expect(buckets.length).toBeGreaterThan(40);
  expect(width).toBe(1024);
  expect(Math.max(...buckets.map(([, , largest]) => largest))).toBe(1e9);
  expect(Math.min(...buckets.map(([, least]) => least))).toBe(-1e9);
  expect(buckets.at(-1)![0]).toBe(99_999);
});

test('what changed, put in the place of what a viewer has from there on, is the curve', () => {
  const curve = new ThinnedCurve(16);
  let seen: Bucket[] = [];
  let asked = 0;
  for (let x = 0; x < 5000; x++) {
    curve.add(x, Math.cos(x * x));
    if (x % 7 !== 0 && x % 31 !== 0) continue;
    const changes = curve.changes()!;
    asked += changes.buckets.length;
    seen = [...seen.slice(0, changes.from), ...changes.buckets];
    expect(seen).toEqual(curve.curve.buckets);
  }
  curve.changes();
  expect(curve.changes()).toBe(undefined);
  expect(asked).toBeLessThan(5000); // two buckets or so a time, the whole of it only when it was halved
});
