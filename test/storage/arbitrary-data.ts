import fc from 'fast-check';
import type { Data, TypedArray } from '../../src/flow/data.js';

const typedArray: fc.Arbitrary<TypedArray> = fc.oneof(
  fc.float32Array(),
  fc.float64Array(),
  fc.int8Array(),
  fc.int16Array(),
  fc.int32Array(),
  fc.uint8Array(),
  fc.uint8ClampedArray(),
  fc.uint16Array(),
  fc.uint32Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
);

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('constructor', 'toJSON', 'x'.repeat(300), 'ω'.repeat(70)),
);
const key = text.filter((key) => key !== '__proto__');

/** Any plain data, strange keys, -0, NaN, undefined and every kind of typed array included. */
export const arbitraryData: fc.Arbitrary<Data> = fc.letrec<{ value: Data }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.oneof(
      fc.constantFrom<Data>(null, undefined, true, false, -0, 2 ** 31, 2 ** 32, -(2 ** 31) - 1, 2 ** 53, Number.NaN),
      fc.double(),
      fc.integer(),
      text,
      typedArray,
    ),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20 }).map((object) => ({ ...object })),
  ),
})).value;
