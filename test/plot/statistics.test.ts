import { expect, test } from 'vitest';
import {
  holm,
  pairedDifference,
  quantile,
  standardDeviation,
  standardError,
  student,
  twoSided,
  welchDifference,
} from '../../src/plot/statistics.js';

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
  [1, 12.706204736174694], // scipy.stats.t.ppf
  [1.5, 6.016663104427929],
  [2.97, 3.200709448446217],
  [9, 2.262157162798205],
  [12.3, 2.172933481758962],
  [999, 1.9623414611334493],
  [1e6, 1.959966356814107],
])("Student's t with %d degrees of freedom", (freedom, t) => {
  expect(student(freedom) / t).toBeCloseTo(1, 12);
});

test('a paired interval is of the differences', () => {
  const { value, lower, upper } = pairedDifference([3, 5, 7], [1, 2, 3]);
  expect(value).toBe(3);
  expect(upper! - value).toBeCloseTo(4.302652729749462 / Math.sqrt(3), 6);
  expect(value - lower!).toBeCloseTo(4.302652729749462 / Math.sqrt(3), 6);
  expect(pairedDifference([3, 5, 7], [2, 4, 6])).toMatchObject({ value: 1, t: null, p: null }); // no spread to test against
});

test('without pairs the interval is as wide as both sides ask, and unknown for a single value', () => {
  const { value, lower } = welchDifference([10, 12], [1, 3]); // both ± 1, two degrees of freedom
  expect(value).toBe(9);
  expect(lower).toBeCloseTo(9 - 4.302652729749462 * Math.SQRT2, 6);
  expect(welchDifference([1], [2, 3])).toMatchObject({ value: -1.5, lower: null, upper: null, p: null });
});

test('an interval ends at zero where p is 0.05, whole degrees of freedom or not', () => {
  const found = welchDifference([1, 1.02, 0.98, 1.01], [0.86, 0.95, 0.89]);
  expect(found.p).toBeCloseTo(0.049216695377501875, 10); // scipy.stats.ttest_ind, equal_var=False
  expect(found.lower!).toBeGreaterThan(0);
  expect(found.lower!).toBeCloseTo(0.0007561353146947197, 10);
  for (let shift = -0.05; shift < 0.2; shift += 0.003) {
    const { lower, upper, p } = welchDifference([1, 1.02, 0.98, 1.01], [0.86 + shift, 0.95 + shift, 0.89 + shift]);
    expect(lower! > 0 || upper! < 0).toBe(p! < 0.05);
  }
});

test('Holm corrects for the number of tests, keeps their order, and leaves a single one as it is', () => {
  const corrected = holm([0.01, 0.04, 0.03, 0.005]); // R: p.adjust(method = "holm")
  for (const [i, p] of [0.03, 0.06, 0.06, 0.02].entries()) expect(corrected[i]).toBeCloseTo(p, 12);
  expect(holm([0.5, 0.9, 0.4])).toEqual([1, 1, 1]);
  expect(holm([0.3])).toEqual([0.3]);
  expect(holm([])).toEqual([]);
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
