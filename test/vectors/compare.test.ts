import { expect, test } from 'vitest';
import { compare, part } from '../../src/vectors/check.js';

const tolerance = { relative: 0.1, absolute: 0.01 };

test('a number is held to its own size, an element of a tensor to the largest', () => {
  const [number] = compare('sigma', 2.2, 2, tolerance);
  expect(number!.of).toBe('sigma');
  expect(number!.allowed).toBeCloseTo(0.21);
  expect(number!.deviation).toBeCloseTo(0.2);
  const [tensor] = compare('v', Float32Array.of(0.5, 10), { shape: [2], data: [0, 10] }, tolerance);
  expect(tensor).toMatchObject({ of: 'v', deviation: 0.5, allowed: 1.01 });
  expect(part(tensor!)).toBeLessThan(1);
  expect(compare('theta', [0.5, 10], [0, 10], tolerance).map(part)).toEqual([50, 0]);
});

test('what is no number, or not as many, is out', () => {
  const out = [
    compare('x', Number.NaN, 1, tolerance),
    compare('x', Float32Array.of(1, 2), { shape: [3], data: [1, 2, 3] }, tolerance),
    compare('x', [1], [1, 2], tolerance),
    compare(
      'x',
      [Float32Array.of(1)],
      [
        { shape: [1], data: [1] },
        { shape: [1], data: [1] },
      ],
      tolerance,
    ),
  ];
  for (const deviations of out) expect(Math.max(...deviations.map(part))).toBe(Number.POSITIVE_INFINITY);
});

test('nothing off is within a tolerance of nothing', () => {
  expect(part(compare('x', 3, 3, { relative: 0, absolute: 0 })[0]!)).toBe(0);
  expect(() => compare('x', 3, 'three', tolerance)).toThrow("'x' is expected to be neither a number nor a tensor");
});
