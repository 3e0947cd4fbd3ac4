import fc from 'fast-check';
import { expect, test } from 'vitest';
import { turnPixels } from '../../../../src/data/augment/ops/hue.js';
import { turnByVectors } from '../../../../src/data/augment/ops/simd-hue.js';

const SIXTHS = 3 * 2 ** 16; // half the circle

const expectSame = (values: Uint8Array, length: number, shift: number): void => {
  const wanted = values.slice();
  turnPixels(wanted, length, shift);
  const found = values.slice();
  expect(turnByVectors(found, length, shift)).toBe(true);
  expect(Buffer.compare(found, wanted)).toBe(0);
};

test('by vectors as pixel by pixel, to the bit, for every number of pixels; what lies behind them stays', () => {
  const level = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 254, 255)); // ties between colors, too
  fc.assert(
    fc.property(
      fc.array(fc.tuple(level, level, level), { maxLength: 40 }),
      fc.nat(7),
      fc.integer({ min: -SIXTHS, max: SIXTHS }),
      (pixels, more, shift) => {
        const values = Uint8Array.from([...pixels.flat(), ...new Array<number>(more).fill(99)]);
        expectSame(values, 3 * pixels.length, shift);
      },
    ),
    { numRuns: 500 },
  );
});

test('every pair of differences, and an image that needs more memory than the first', () => {
  const values = new Uint8Array(3 * 256 * 256);
  for (let i = 0; i < 256 * 256; i++) values.set([i >> 8, i & 255, (i * 7) & 255], 3 * i);
  for (const shift of [-SIXTHS, -12_345, 0, 1, 39_322, SIXTHS]) expectSame(values, values.length, shift);
});
