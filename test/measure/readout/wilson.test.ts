import { expect, test } from 'vitest';
import { wilson } from '../../../src/measure/readout/wilson.js';

test.each([
  [81, 263, 0.2553, 0.3662], // Newcombe 1998, table I
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('%i of %i', (correct, of, lower, upper) => {
  const found = wilson(correct / of, of);
  expect(found.lower).toBeCloseTo(lower, 4);
  expect(found.upper).toBeCloseTo(upper, 4);
  const other = wilson(1 - correct / of, of);
  expect(other.lower).toBeCloseTo(1 - upper, 4);
  expect(other.upper).toBeLessThanOrEqual(1);
});
