import * as zlib from 'node:zlib';

/** CRC-32 (the one of zip and PNG) of the bytes; `before` is that of the bytes that precede them. */
export function crc32(bytes: Uint8Array, before = 0): number {
  if (bytes.length === 0) return before; // zlib's own gives 0
  return zlib.crc32 ? zlib.crc32(bytes, before) : portable(bytes, before); // zlib: from Node 20.15 and 22.2
}

/** A CRC of 32 bits, reflected, a byte at a time. @param polynomial its bits in reverse order */
export function bytewise(polynomial: number): (bytes: Uint8Array, before?: number) => number {
  const table = Int32Array.from({ length: 256 }, (_, n) => {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? polynomial ^ (crc >>> 1) : crc >>> 1;
    return crc;
  });
  return (bytes, before = 0) => {
    let crc = ~before;
    for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
    return ~crc >>> 0;
  };
}

/** What zlib gives, for a Node without it. */
export const portable = bytewise(0xedb88320);
