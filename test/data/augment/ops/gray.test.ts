import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blendByVectors, sumByVectors } from '../../../../src/data/augment/ops/gray.js';
import { sumOfGray } from '../../../../src/data/augment/ops/mean-gray.js';
import { blendPixels } from '../../../../src/data/augment/ops/saturation.js';
import { toGray } from '../../../../src/data/augment/ops/to-gray.js';
import { keyed } from '../../../../src/flow/seed.js';

const made = (pixels: number, seed: number): Uint8Array => {
  const random = keyed(seed, 'test/gray');
  return Uint8Array.from({ length: 3 * pixels }, () => random.integer(256));
};

test('by vectors as without them, to the bit: blends with gray, and its sum', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(), fc.float({ min: 0, max: 1000, noNaN: true }), (pixels, seed, factor) => {
      const values = made(pixels, seed);
      expect(sumByVectors(values, values.length)).toBe(sumOfGray(values, values.length));
      const wanted = values.slice();
      const rest = Math.fround(1 - factor);
      blendPixels(wanted, wanted.length, factor, rest);
      expect(blendByVectors(values, values.length, factor, rest)).toBe(true);
      expect(values).toEqual(wanted);
    }),
  );
});

test('pixels behind those that count stay as they are', () => {
  const values = made(10, 1);
  const before = values.slice();
  toGray(values, 3 * 3);
  expect(values.subarray(9)).toEqual(before.subarray(9));
  expect(sumByVectors(before, 9)).toBe(sumOfGray(before, 9));
});
