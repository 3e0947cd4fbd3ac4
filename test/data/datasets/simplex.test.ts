import { expect, test } from 'vitest';
import { simplex } from '../../../src/data/datasets/simplex.js';

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
