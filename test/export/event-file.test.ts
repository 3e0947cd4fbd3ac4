import { expect, test } from 'vitest';
import { crc32c, histogram, maskedCrc32c } from '../../src/export/event-file.js';
import { integer } from '../../src/storage/protobuf.js';
import { doubles, inside, message, number } from './read-events.js';

test('CRC-32C is that of RFC 3720, and masked as TensorFlow does', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  const crc = crc32c(Buffer.from('123456789'));
  expect(maskedCrc32c(Buffer.from('123456789'))).toBe((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
});

test('whole numbers of any size come back', () => {
  for (const value of [0, 1, 127, 128, 300, 2 ** 31, 2 ** 35 + 7, Number.MAX_SAFE_INTEGER]) {
    expect(message(Buffer.from(integer(2, value))).get(2)).toEqual([value]);
  }
});

test.each([
  ['many', Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 7), 30],
  ['one', [0.1], 1],
  ['all the same', [3, 3, 3], 1],
  ['ends that rounding would leave out', [0.1, 0.7, 0.1 + 0.2], 30],
])('a histogram of %s counts each value once', (_, values, buckets) => {
  const [histo] = inside(message(Buffer.from(histogram('x', values))), 5);
  const limits = doubles(histo!, 6);
  const counts = doubles(histo!, 7);
  expect([limits.length, counts.length, limits.at(-1)]).toEqual([buckets, buckets, Math.max(...values)]);
  expect(counts.reduce((sum, count) => sum + count)).toBe(values.length);
  expect([1, 2, 3].map((field) => number(histo!, field))).toEqual([
    Math.min(...values),
    Math.max(...values),
    values.length,
  ]);
  let least = Number.NEGATIVE_INFINITY;
  for (const [i, limit] of limits.entries()) {
    expect(counts[i]).toBe(values.filter((value) => value > least && value <= limit).length);
    least = limit;
  }
});
