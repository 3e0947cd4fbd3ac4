import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blurByVectors, blurPixels, blurWeights } from '../../../../src/data/augment/ops/gaussian-blur.js';
import { keyed } from '../../../../src/flow/random.js';

test('by vectors as without them, to the bit, whatever the size and the Gaussian', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 40 }),
      fc.integer({ min: 2, max: 40 }),
      fc.constantFrom(1, 3),
      fc.double({ min: 0.1, max: 8, noNaN: true }),
      fc.nat(),
      fc.boolean(),
      (height, width, channels, sigma, seed, sharp) => {
        const random = keyed(seed, 'test/blur');
        const values = Uint8Array.from({ length: height * width * channels }, () =>
          sharp ? 255 * random.integer(2) : random.integer(256),
        );
        const most = Math.min(height, width) - 1;
        const weights = new Int16Array(most + 3);
        const reach = blurWeights(sigma, most, weights);
        if (reach === 0) return;
        const wanted = values.slice();
        blurPixels(wanted, height, width, channels, weights, reach);
        expect(blurByVectors(values, height, width, channels, weights, reach)).toBe(true);
        expect(values).toEqual(wanted);
      },
    ),
    { numRuns: 300 },
  );
});

test.each([0.3, 0.7, 2, 9])(
  'the weights of a Gaussian of %s pixels add up to 1, so what is even stays as it is',
  (sigma) => {
    const weights = new Int16Array(12 + 3);
    const reach = blurWeights(sigma, 12, weights);
    expect(weights.reduce((sum, weight, i) => sum + weight * (i === 0 ? 1 : 2), 0)).toBe(2 ** 15);
    const values = new Uint8Array(30 * 30 * 3).fill(255);
    expect(blurByVectors(values, 30, 30, 3, weights, reach)).toBe(true);
    expect(values.every((value) => value === 255)).toBe(true);
  },
);
