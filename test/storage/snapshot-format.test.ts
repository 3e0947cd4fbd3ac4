import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Data } from '../../src/flow/data.js';
import { crc32 } from '../../src/storage/digest.js';
import { type About, decode, encode, SnapshotError } from '../../src/storage/snapshot-format.js';
import { arbitraryData } from './arbitrary-data.js';

const file = 'snapshots/000001-480.snapshot';
const bytesFor = (data: Data, about: About = {}): Uint8Array => new Uint8Array(Buffer.concat(encode(data, about)));
const small = bytesFor(
  {
    train: { weights: { 'hidden1/kernel': Float32Array.of(1, 2, 3), 'hidden1/bias': Float64Array.of(4) }, update: 480 },
    loader: { position: 491_520, order: Uint8Array.of(1, 2, 3, 4, 5) },
  },
  { pipeline: 'mnist', update: 480 },
);

function refusal(bytes: Uint8Array): SnapshotError {
  try {
    decode(bytes, file);
  } catch (error) {
    expect(error).toBeInstanceOf(SnapshotError);
    expect((error as SnapshotError).message).toContain(file);
    expect((error as SnapshotError).remedy).toBeTruthy();
    return error as SnapshotError;
  }
  throw new Error('not refused');
}

/** The place of these bytes in the small snapshot. */
const find = (array: Float32Array | Uint8Array): number =>
  Buffer.from(small).indexOf(Buffer.from(array.buffer, array.byteOffset, array.byteLength));

test('any plain data comes back the same, with what is said about it', () => {
  fc.assert(
    fc.property(arbitraryData, fc.dictionary(fc.string({ maxLength: 5 }), fc.integer()), (data, about) => {
      fc.pre(!Object.hasOwn(about, '__proto__'));
      const bytes = bytesFor(data, { ...about });
      expect(bytes.length % 8).toBe(0);
      const snapshot = decode(bytes, file);
      expect(isDeepStrictEqual(snapshot.data, data)).toBe(true);
      expect(isDeepStrictEqual(snapshot.about, { ...about })).toBe(true);
      expect(snapshot.weir).toMatch(/^\d+\.\d+\.\d+/);
    }),
    { numRuns: 100 },
  );
});

test('arrays are neither copied when written nor, where they lie aligned, when read', () => {
  const kernel = new Float32Array(1000).fill(0.5);
  expect(encode({ kernel }, {}).some((chunk) => chunk.buffer === kernel.buffer)).toBe(true);
  const bytes = bytesFor({ kernel });
  expect((decode(bytes, file).data as { kernel: Float32Array }).kernel.buffer).toBe(bytes.buffer);
  const shifted = new Uint8Array(bytes.length + 1).subarray(1);
  shifted.set(bytes);
  expect(decode(shifted, file).data).toStrictEqual({ kernel });
});

test('cut at any byte it is refused, and the segment is named once the table is there', () => {
  let named = 0;
  for (let length = 0; length < small.length; length++) {
    const error = refusal(small.subarray(0, length));
    expect(error.message).toMatch(/is cut short/);
    if (error.segment) named++;
  }
  expect(named).toBe(16 + 8 + 8); // the arrays' bytes, aligned
  const start = find(Float32Array.of(1, 2, 3));
  expect(refusal(small.subarray(0, start + 5))).toMatchObject({
    message: `snapshot ${file}: is cut short in segment 0 'train/weights/hidden1/kernel': 5 of its 12 bytes are there`,
    segment: 'train/weights/hidden1/kernel',
  });
  expect(refusal(Buffer.concat([small, Buffer.alloc(8)])).message).toMatch(/has \d+ bytes, but says that it has \d+/);
});

test('an altered segment is named, with both checksums', () => {
  const altered = small.slice();
  altered[find(Uint8Array.of(1, 2, 3, 4, 5)) + 2]! ^= 0x10;
  const error = refusal(altered);
  expect(error.segment).toBe('loader/order');
  expect(error.message).toMatch(
    /^segment 2 'loader\/order' of .*480\.snapshot is altered: expected checksum [0-9a-f]{16}, got [0-9a-f]{16}$/,
  );
});

test('2,000 altered bits, and one in every byte, are refused', () => {
  fc.assert(
    fc.property(fc.nat(small.length * 8 - 1), (bit) => {
      const altered = small.slice();
      altered[bit >> 3]! ^= 1 << (bit & 7);
      refusal(altered);
    }),
    { numRuns: 2000 },
  );
  for (let at = 0; at < small.length; at++) {
    const altered = small.slice();
    altered[at]! ^= 0x04;
    refusal(altered);
  }
});

test('what is no snapshot, and one of another version, say so', () => {
  expect(refusal(new Uint8Array()).message).toContain('is cut short: it has 0 bytes');
  expect(refusal(Buffer.from('PK\x03\x04 a zip file')).message).toContain("expected 'WEIRSNAP', got \"PK");
  for (const [version, remedy] of [
    [3, 'resume it with the version of Weir that wrote it, or a newer one'],
    [1, 'resume it with the version of Weir that wrote it'],
  ] as const) {
    const other = Buffer.from(small);
    other.writeUInt32LE(version, 8);
    other.writeUInt32LE(crc32(other.subarray(0, 12)), 12);
    const error = refusal(other);
    expect(error.message).toBe(`snapshot ${file}: has format version ${version}, but this Weir reads version 2`);
    expect(error.remedy).toBe(remedy);
  }
});

test('any bytes are refused', () => {
  fc.assert(
    fc.property(fc.nat(small.length), fc.uint8Array({ maxLength: 500 }), (keep, noise) => {
      const bytes = Buffer.concat([small.subarray(0, keep), noise]);
      if (!bytes.equals(small)) refusal(bytes);
    }),
    { numRuns: 500 },
  );
});
