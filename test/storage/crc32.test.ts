import { expect, test } from 'vitest';
import { crc32, portable } from '../../src/storage/crc32.js';

test('both ways give the check value of CRC-32, in one piece and in two', () => {
  const bytes = Buffer.from('123456789');
  for (const sum of [crc32, portable]) {
    expect(sum(bytes)).toBe(0xcbf43926);
    expect(sum(bytes.subarray(4), sum(bytes.subarray(0, 4)))).toBe(0xcbf43926);
    expect([sum(new Uint8Array()), sum(new Uint8Array(), 5)]).toEqual([0, 5]);
  }
});
