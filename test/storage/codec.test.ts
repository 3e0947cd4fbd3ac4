import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { expect, test } from 'vitest';
import type { Data } from '../../src/flow/data.js';
import { arrayOf, bytesOf, pack, type Segment, unpack } from '../../src/storage/codec.js';
import { crc32 } from '../../src/storage/digest.js';
import { arbitraryData } from './arbitrary-data.js';

test('CRC-32 gives the check value, in one piece and in two', () => {
  const bytes = Buffer.from('123456789');
  expect(crc32(bytes)).toBe(0xcbf43926);
  expect(crc32(bytes.subarray(4), crc32(bytes.subarray(0, 4)))).toBe(0xcbf43926);
  expect([crc32(new Uint8Array()), crc32(new Uint8Array(), 5)]).toEqual([0, 5]);
});

test('any plain data comes back the same', () => {
  fc.assert(
    fc.property(arbitraryData, (data) => {
      expect(isDeepStrictEqual(unpack(pack(data)), data)).toBe(true); // toStrictEqual trips over a key 'constructor'
    }),
    { numRuns: 150 },
  );
});

test('with segments, arrays stay outside and come back by reference', () => {
  fc.assert(
    fc.property(arbitraryData, (data) => {
      const segments: Segment[] = [];
      const bytes = pack(data, segments);
      expect(
        isDeepStrictEqual(
          unpack(bytes, ({ index }) => segments[index]!.array),
          data,
        ),
      ).toBe(true);
    }),
    { numRuns: 50 },
  );
  const kernel = Float32Array.of(1, 2);
  const segments: Segment[] = [];
  const bytes = pack({ train: { weights: { 'hidden1/kernel': kernel } }, list: [new Uint8Array(3)] }, segments);
  expect(segments.map(({ name, dtype }) => [name, dtype])).toEqual([
    ['train/weights/hidden1/kernel', 'float32'],
    ['list/0', 'uint8'],
  ]);
  expect(segments[0]!.array).toBe(kernel);
  expect(() => unpack(bytes)).toThrow('packed data holds bytes of an unknown kind');
});

test('what is unpacked lies on buffers of its own', () => {
  const bytes = pack({ a: Float64Array.of(1, 2), b: Uint8Array.of(7) });
  const { a, b } = unpack(bytes) as { a: Float64Array; b: Uint8Array };
  bytes.fill(0);
  expect([a, b, a.buffer.byteLength, b.buffer.byteLength]).toEqual([Float64Array.of(1, 2), Uint8Array.of(7), 16, 1]);
});

test('what is not plain data is refused by its place', () => {
  const cycle: Data[] = [];
  cycle.push(cycle);
  const refusals: [unknown, string][] = [
    [{ train: { at: new Date() } }, "cannot pack 'train/at': it is an instance of Date"],
    [{ f: [() => 1] }, "cannot pack 'f/0': it is a function"],
    [{ n: 1n }, "cannot pack 'n': it is a bigint"],
    [{ m: new Map() }, "cannot pack 'm': it is an instance of Map"],
    [{ v: new DataView(new ArrayBuffer(1)) }, "cannot pack 'v': it is a DataView"],
    [{ s: 'a\ud800' }, "cannot pack 's': it is text with half a surrogate pair"],
    [JSON.parse('{"a":{"__proto__":1}}'), "cannot pack 'a': it is an object with the key '__proto__'"],
    [cycle, 'nested deeper than 100 levels'],
    [Symbol('x'), "cannot pack '(top)': it is a symbol"],
  ];
  for (const [value, message] of refusals) expect(() => pack(value as Data)).toThrow(message);
});

test('the deepest that packs also unpacks', () => {
  let deep: Data = 'bottom';
  for (let i = 0; i < 100; i++) deep = i % 2 ? { deep } : [deep];
  expect(unpack(pack(deep))).toStrictEqual(deep);
  expect(() => pack([deep])).toThrow('nested deeper than 100');
});

test('what another packer may write but we do not is refused before it is built', () => {
  const other = (value: unknown, options = {}) =>
    new Packr({ moreTypes: true, useRecords: false, ...options }).pack(value);
  const foreign = [
    other(new Date()),
    other(/x+/),
    other(new Error('x')),
    other(new Set([1])),
    other(Float32Array.of(1)),
    other(5n),
    other({ a: 1, b: 2 }, { useRecords: true }),
    other(['abcdefgh', 'abcdefgh'], { bundleStrings: true }),
    other(new Map([[{}, 1]])),
    other(new Map([['__proto__', 1]])),
    other(Buffer.from('Zzz')),
    Buffer.concat([pack(1), pack(2)]),
    Buffer.alloc(200_000, 0x91), // an array in an array in an array …
    Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]), // four billion values announced, none there
    Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff, 0xa0]),
    Buffer.from([0xc6, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0xdb, 0x7f, 0xff, 0xff, 0xff, 0x61]),
    Buffer.alloc(0),
  ];
  for (const bytes of foreign) expect(() => unpack(bytes)).toThrow('packed data');
});

test('any bytes are either plain data or refused, and every cut is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        pack(unpack(bytes));
      } catch (error) {
        expect((error as Error).message).toMatch(/packed data|whole number of|surrogate/);
      }
    }),
    { numRuns: 3000 },
  );
  const bytes = pack({ a: [1, 2.5, 'text', -0, undefined], b: Float32Array.of(1), c: { d: 2 ** 40 } });
  for (let end = 0; end < bytes.length; end++) expect(() => unpack(bytes.subarray(0, end))).toThrow('packed data');
});

test('bytes are little-endian on a machine that is not', () => {
  expect([...bytesOf(Uint16Array.of(0x0102), 'BE')]).toEqual(
    [...new Uint8Array(Uint16Array.of(0x0102).buffer)].reverse(),
  );
  const there = bytesOf(Float64Array.of(1, 2), 'BE');
  expect(arrayOf('float64', there, 'BE')).toEqual(Float64Array.of(1, 2));
  expect(() => arrayOf('float32', new Uint8Array(6))).toThrow('6 bytes are no whole number of float32 elements');
});
