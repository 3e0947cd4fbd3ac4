import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Resampler, resampleByVectors } from '../../../../src/data/augment/ops/resize.js';
import { Canvas } from '../../../../src/data/images/image.js';
import { keyed } from '../../../../src/flow/random.js';

const extent = fc.integer({ min: 1, max: 70 });

test('by vectors as without them, to the bit, whatever is cut out and however it is resized', () => {
  fc.assert(
    fc.property(
      extent,
      extent,
      extent,
      extent,
      fc.nat(),
      fc.boolean(),
      (height, width, toHeight, toWidth, seed, sharp) => {
        const random = keyed(seed, 'test/simd');
        const region = { top: 0, left: 0, height: 1 + random.integer(height), width: 1 + random.integer(width) };
        region.top = random.integer(height - region.height + 1);
        region.left = random.integer(width - region.width + 1);
        const values = Uint8Array.from({ length: height * width * 3 }, () =>
          sharp ? 255 * random.integer(2) : random.integer(256),
        );

        const out = new Canvas(3).resize(toHeight, toWidth);
        expect(resampleByVectors({ height, width, channels: 3, values }, region, out)).toBe(true);

        const plain = new Resampler(1); // one channel goes without vectors
        for (let c = 0; c < 3; c++) {
          const channel = { height, width, channels: 1, values: values.filter((_, i) => i % 3 === c) };
          const wanted = plain.resample(channel, region, toHeight, toWidth).values.subarray(0, toHeight * toWidth);
          expect(out.values.subarray(0, 3 * toHeight * toWidth).filter((_, i) => i % 3 === c)).toEqual(wanted);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('an image that needs more memory than the last, and one that is made by the same kernels', () => {
  const large = { height: 700, width: 900, channels: 3, values: new Uint8Array(700 * 900 * 3).fill(77) };
  const resampler = new Resampler(3);
  const first = resampler.resample(large, { top: 0, left: 0, height: 700, width: 900 }, 300, 200);
  const again = new Resampler(3).resample(first, { top: 10, left: 10, height: 50, width: 40 }, 1100, 1000);
  expect(again.values.subarray(0, 1100 * 1000 * 3).every((value) => value === 77)).toBe(true);
});
