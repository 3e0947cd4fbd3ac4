import { deflateSync } from 'node:zlib';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/**
 * Encodes 8-bit RGB pixels, row by row, as PNG (ISO/IEC 15948): what SVG can hold of a small picture.
 *
 * @param pixels [height, width, 3]
 */
export function png(width: number, height: number, pixels: Uint8Array): Buffer {
  return encoded(width, height, 2, pixels, 3);
}

/**
 * Encodes pixels that are entries of a palette: a third of the bytes, for heat maps.
 *
 * @param indices [height, width]
 * @param palette [entries, 3], at most 256 entries
 */
export function indexedPng(width: number, height: number, indices: Uint8Array, palette: Uint8Array): Buffer {
  return encoded(width, height, 3, indices, 1, chunk('PLTE', Buffer.from(palette)));
}

function encoded(w: number, h: number, color: 2 | 3, pixels: Uint8Array, depth: number, ...more: Buffer[]): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(w, 0);
  header.writeUInt32BE(h, 4);
  header.set([8, color], 8); // 8 bits a channel; no interlacing
  const rows = Buffer.alloc(h * (1 + depth * w)); // a zero before each row: unfiltered
  for (let y = 0; y < h; y++) rows.set(pixels.subarray(depth * w * y, depth * w * (y + 1)), y * (1 + depth * w) + 1);
  const data = chunk('IDAT', deflateSync(rows, { level: 9 }));
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), ...more, data, chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length, 0);
  frame.set(body, 4);
  frame.writeUInt32BE(crc32(body), body.length + 4);
  return frame;
}

/** The CRC that PNG prescribes (zlib.crc32 came only with Node 22). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
