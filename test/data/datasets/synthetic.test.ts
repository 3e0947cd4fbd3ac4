import { expect, test } from 'vitest';
import { simplex, xor, xorOfEach } from '../../../src/data/datasets/synthetic.js';

test('the four corners', () => {
  expect(xor()).toMatchObject({
    size: 4,
    sampleShape: [2],
    values: new Float32Array([1, 1, -1, -1, 1, -1, -1, 1]),
    labels: new Uint8Array([0, 0, 1, 1]),
  });
});

test('twenty noisy points about each corner, by seed', () => {
  const { size, values, labels } = xor({ noise: {}, seed: 3 });
  expect(size).toBe(80);
  expect([...labels]).toEqual(Array.from({ length: 80 }, (_, i) => (i < 40 ? 0 : 1)));
  expect(xor({ noise: {}, seed: 3 }).values).toEqual(values);
  expect(xor({ noise: {}, seed: 4 }).values).not.toEqual(values);

  const clean = xor().values;
  const offsets = Array.from(values, (x, i) => x - clean[2 * Math.floor(i / 40) + (i % 2)]!);
  const mean = offsets.reduce((sum, x) => sum + x, 0) / 160;
  const std = Math.sqrt(offsets.reduce((sum, x) => sum + x * x, 0) / 160);
  expect(Math.abs(mean)).toBeLessThan(0.05);
  expect(Math.abs(std - 0.2)).toBeLessThan(0.04);
});

test('of each: sample i holds every network’s own i-th point', () => {
  const all = xorOfEach([3, 4], { perCorner: 2 });
  expect([all.size, all.sampleShape, [...all.labels]]).toEqual([8, [2, 2], [0, 0, 0, 0, 1, 1, 1, 1]]);
  for (const [network, seed] of [3, 4].entries()) {
    const own = Array.from({ length: 8 }, (_, i) =>
      [0, 1].map((axis) => all.values[4 * i + 2 * network + axis]),
    ).flat();
    expect(own).toEqual([...xor({ noise: { perCorner: 2 }, seed }).values]);
  }
});

test.each([
  [2, 1],
  [3, 2],
  [4, 3],
  [10, 16],
])('%i unit vectors in %i dimensions whose sum is 0, a class each', (classes, dimension) => {
  const { size, sampleShape, values, labels } = simplex({ classes, dimension });
  expect([size, sampleShape, [...labels]]).toEqual([
    classes,
    [dimension],
    Array.from({ length: classes }, (_, k) => k),
  ]);
  const rows = Array.from({ length: classes }, (_, k) => [...values.subarray(k * dimension, (k + 1) * dimension)]);
  for (const [k, a] of rows.entries()) {
    for (const [l, b] of rows.entries()) {
      const product = a.reduce((sum, value, i) => sum + value * b[i]!, 0);
      expect(product).toBeCloseTo(k === l ? 1 : -1 / (classes - 1), 6);
    }
  }
  for (let i = 0; i < dimension; i++) expect(rows.reduce((sum, row) => sum + row[i]!, 0)).toBeCloseTo(0, 6);
});

test('by default three in the plane, 120° apart', () => {
  const half = Math.sqrt(3) / 2;
  expect([...simplex().values]).toEqual([1, 0, -0.5, half, -0.5, -half].map((value) => expect.closeTo(value, 6)));
});

test('what has no room is refused', () => {
  expect(() => simplex({ classes: 4, dimension: 2 })).toThrow('a simplex of 4 classes was asked for in 2 dimensions');
  expect(() => simplex({ classes: 1 })).toThrow('a simplex of 1 classes was asked for');
});
