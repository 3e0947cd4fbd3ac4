import { expect, test } from 'vitest';
import {
  pairedDifference,
  quantile,
  standardDeviation,
  standardError,
  student,
  welchDifference,
} from '../../../src/observe/report/statistics.js';
import { twoSided } from '../../../src/observe/report/student.js';

test('spread is of a sample, and unknown for one value', () => {
  expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(2.138, 3);
  expect(standardError([1, 3])).toBeCloseTo(1, 12);
  expect(standardDeviation([1])).toBeNull();
});

test('quantiles lie between order statistics, and none is there for no values', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([5], 0.9)).toBe(5);
  expect(quantile([], 0.5)).toBeNull();
});

test.each([
  [1, 12.706],
  [9, 2.262],
  [12, 2.179],
  [30, 2.042],
  [999, 1.962],
])("Student's t with %d degrees of freedom", (freedom, t) => {
  expect(student(freedom)).toBeCloseTo(t, 2);
});

test('a paired interval is of the differences', () => {
  const { value, lower, upper } = pairedDifference([3, 5, 7], [1, 2, 3]);
  expect(value).toBe(3);
  expect(upper! - value).toBeCloseTo(4.303 / Math.sqrt(3), 6);
  expect(value - lower!).toBeCloseTo(4.303 / Math.sqrt(3), 6);
  expect(pairedDifference([3, 5, 7], [2, 4, 6])).toMatchObject({ value: 1, t: null, p: null }); // no spread to test against
});

test('without pairs the interval is as wide as both sides ask, and unknown for a single value', () => {
  const { value, lower } = welchDifference([10, 12], [1, 3]); // both ± 1, two degrees of freedom
  expect(value).toBe(9);
  expect(lower).toBeCloseTo(9 - 4.303 * Math.SQRT2, 6);
  expect(welchDifference([1], [2, 3])).toMatchObject({ value: -1.5, lower: null, upper: null, p: null });
});

test.each([
  [2.262157, 9, 0.05],
  [12.7062, 1, 0.05],
  [0.5, 3.7, 0.645335633], // scipy.stats.t.sf, doubled
  [10, 9, 3.578237e-6],
  [-10, 9, 3.578237e-6],
  [0, 5, 1],
])('two-sided p of t = %d with %d degrees of freedom', (t, freedom, p) => {
  expect(twoSided(t, freedom) / p).toBeCloseTo(1, 5);
});
