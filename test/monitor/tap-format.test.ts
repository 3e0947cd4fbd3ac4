import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Data } from '../../src/flow/data.js';
import { fromWire, toWire } from '../../src/monitor/taps.js';
import { arbitraryData } from '../storage/arbitrary-data.js';

test('whatever plain data goes through a tap as base64 comes out as it was', () => {
  fc.assert(
    fc.property(arbitraryData, (data) => {
      expect(fromWire(JSON.parse(JSON.stringify(toWire(data, 'base64'))))).toEqual(data);
    }),
    { numRuns: 300 },
  );
});

test('a key that means something on the way, numbers that JSON lacks, and what is undefined come through', () => {
  const data: Data = {
    $: 'float32',
    base64: 'x',
    nested: [{ $: undefined }, Number.NaN, Number.NEGATIVE_INFINITY, undefined],
  };
  expect(fromWire(JSON.parse(JSON.stringify(toWire(data, 'base64'))))).toEqual(data);
});

test('for readers an array is how long it is and how it begins', () => {
  expect(toWire({ position: 3, values: new Float32Array(784) }, 'summary')).toEqual({
    position: 3,
    values: { Float32Array: 784, start: [0, 0, 0, 0, 0, 0, 0, 0] },
  });
});

test('what no tap gave is refused by name', () => {
  expect(() => fromWire({ $: 'Worker', base64: '' })).toThrow("a tap gave something unknown: 'Worker'");
});
