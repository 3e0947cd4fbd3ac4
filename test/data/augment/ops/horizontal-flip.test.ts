import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mirrorByVectors, swapPixels } from '../../../../src/data/augment/ops/horizontal-flip.js';
import { keyed } from '../../../../src/flow/random.js';

test('by vectors as without them, whatever the size', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), fc.nat(), (height, width, seed) => {
      const random = keyed(seed, 'test/mirror');
      const values = Uint8Array.from({ length: 3 * height * width + 7 }, () => random.integer(256));
      const wanted = values.slice();
      swapPixels(wanted, height, width, 3);
      expect(mirrorByVectors(values, height, width)).toBe(true);
      expect(values).toEqual(wanted); // and what is behind the image stays
    }),
  );
});
