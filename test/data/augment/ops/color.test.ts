import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  blendByVectors,
  blendPixels,
  colorJitter,
  drawJitter,
  rangesOf,
  sumByVectors,
  sumOfGray,
  toGray,
  turnByVectors,
  turnPixels,
} from '../../../../src/data/augment/ops/color.js';
import { keyed } from '../../../../src/flow/random.js';

test('each of the 24 orders comes equally often, factors stay inside of their ranges and fill them', () => {
  const ranges = rangesOf(colorJitter({ brightness: 0.4, contrast: [0.5, 0.7], saturation: 2, hue: 0.1 }));
  expect(ranges).toEqual([
    [0.6, 1.4],
    [0.5, 0.7],
    [0, 3],
    [-0.1, 0.1],
  ]);
  const drawn = { order: new Uint8Array(4), factors: new Float64Array(4) };
  const counts = new Map<string, number>();
  const least = [9, 9, 9, 9];
  const most = [-9, -9, -9, -9];
  for (let i = 0; i < 4800; i++) {
    drawJitter(ranges, keyed(1, 'test', i), drawn);
    const order = drawn.order.join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
    drawn.factors.forEach((factor, k) => {
      least[k] = Math.min(least[k]!, factor);
      most[k] = Math.max(most[k]!, factor);
    });
  }
  expect(counts.size).toBe(24);
  const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
  expect(chi2).toBeLessThan(49.7); // 23 degrees of freedom, p = 0.001
  ranges.forEach((range, k) => {
    const [from, to] = range!;
    const margin = (to - from) / 500;
    expect(least[k]! >= from && least[k]! < from + margin).toBe(true);
    expect(most[k]! <= to && most[k]! > to - margin).toBe(true);
  });
});

test('what is left out, or changes nothing, is no range', () => {
  expect(rangesOf(colorJitter({ brightness: 0, hue: [0.1, 0.1] }))).toEqual([
    undefined,
    undefined,
    undefined,
    [0.1, 0.1],
  ]);
});

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
