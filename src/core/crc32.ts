import * as zlib from 'node:zlib';

/** CRC-32 (the one of zip and PNG) of the bytes; `before` is that of the bytes that precede them. */
export function crc32(bytes: Uint8Array, before = 0): number {
  if (bytes.length === 0) return before; // zlib's own gives 0
  return zlib.crc32 ? zlib.crc32(bytes, before) : portable(bytes, before); // zlib: from Node 20.15 and 22.2
}

/** The same a byte at a time, for a Node without it. */
export function portable(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const table = Int32Array.from({ length: 256 }, (_, n) => {
  let crc = n;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});
