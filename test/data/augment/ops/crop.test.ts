import { expect, test } from 'vitest';
import { drawRegion } from '../../../../src/data/augment/ops/crop.js';
import { keyed } from '../../../../src/flow/random.js';

const draws = (n: number, height: number, width: number, scale: [number, number], ratio: [number, number]) =>
  Array.from({ length: n }, (_, i) => {
    const region = { top: 0, left: 0, height: 0, width: 0 };
    drawRegion(height, width, scale, ratio, keyed(0, 'test', i), region);
    expect(region.top >= 0 && region.top + region.height <= height).toBe(true);
    expect(region.left >= 0 && region.left + region.width <= width).toBe(true);
    return region;
  });
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

test('area is uniform in its range, the form evenly wide and high, the place anywhere', () => {
  const n = 4000;
  const regions = draws(n, 1000, 1500, [0.1, 0.3], [0.5, 2]); // small enough that no part is refused
  const areas = regions.map(({ height, width }) => (height * width) / 1.5e6).sort((a, b) => a - b);
  const forms = regions.map(({ height, width }) => Math.log2(width / height)).sort((a, b) => a - b);
  const uneven = (sorted: readonly number[], from: number, to: number) =>
    Math.max(...sorted.map((x, i) => Math.abs((x - from) / (to - from) - (i + 0.5) / n))) * Math.sqrt(n);
  expect(uneven(areas, 0.1, 0.3)).toBeLessThan(1.95); // Kolmogorov, p = 0.001
  expect(uneven(forms, -1, 1)).toBeLessThan(1.95);
  expect(mean(regions.map(({ top, height }) => top / (1000 - height)))).toBeCloseTo(0.5, 1);
  expect(mean(regions.map(({ left, width }) => left / (1500 - width)))).toBeCloseTo(0.5, 1);
});

test('whole areas and forms that do not fit fall back to the largest part in the middle', () => {
  expect(draws(1, 10, 40, [1, 1], [1, 2])[0]).toEqual({ top: 0, left: 10, height: 10, width: 20 });
  expect(draws(1, 40, 10, [1, 1], [0.5, 1])[0]).toEqual({ top: 10, left: 0, height: 20, width: 10 });
  expect(draws(1, 32, 32, [1, 1], [1, 1])[0]).toEqual({ top: 0, left: 0, height: 32, width: 32 });
});

test('images of one pixel have one part', () => {
  for (const region of draws(20, 1, 1, [0.08, 1], [3 / 4, 4 / 3])) {
    expect(region).toEqual({ top: 0, left: 0, height: 1, width: 1 });
  }
});
