import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lookUp, lookUpFloats } from '../../../../src/data/augment/kernels/look-up.js';
import { keyed } from '../../../../src/flow/random.js';

const bytes = (length: number, seed: number): Uint8Array => {
  const random = keyed(seed, 'test/look-up');
  return Uint8Array.from({ length }, () => random.integer(256));
};

test('every byte becomes what stands in the table, and those behind the length stay', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(20), fc.nat(), (length, behind, seed) => {
      const values = bytes(length + behind, seed);
      const table = bytes(256, seed + 1);
      const wanted = values.map((x, i) => (i < length ? table[x]! : x));
      lookUp(values, length, table);
      expect(values).toEqual(wanted);
    }),
  );
});

test('every byte becomes the float of its channel, whatever the channels and however many pieces it takes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 5000 }),
      fc.nat(),
      (channels, pixels, seed) => {
        const values = bytes(channels * pixels + 5, seed);
        const table = Float32Array.from({ length: 256 * channels }, (_, i) => i / 7);
        const out = new Float32Array(channels * pixels);
        lookUpFloats(values, out.length, table, out);
        expect(out).toEqual(out.map((_, i) => table[256 * (i % channels) + values[i]!]!));
      },
    ),
    { numRuns: 30 },
  );
});
