import { decode } from 'bmp-ts';
import type { Image } from './augment-image.js';

/** Bits a pixel that are read: each was compared with Pillow. (Of 4 the library makes black.) */
const BMP_BITS = [1, 8, 24, 32];

interface BmpHeader {
  /** Where the pixels begin. */
  readonly start: number;
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly compression: number;
}

/** Whether bytes begin as a BMP does. */
export const isBmp = (bytes: Uint8Array): boolean => bytes.length > 30 && bytes[0] === 0x42 && bytes[1] === 0x4d;

/** The size of a BMP, by its header alone. @throws an Error for a kind that is not read, and for one that is cut short */
export function measureBmp(bytes: Uint8Array): { readonly width: number; readonly height: number } {
  const { start, width, height, bits, compression } = bmpHeader(bytes);
  if (compression !== 0 || !BMP_BITS.includes(bits)) {
    const what = compression === 0 ? `${bits} bits a pixel` : `compression ${compression}`;
    throw new Error(`it is a BMP of ${what}, which is not read: save it as PNG, or as a plain BMP of 24 bits`);
  }
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (width < 1 || height < 1 || start + stride * height > bytes.length) {
    throw new Error(`it is a BMP of ${width} x ${height} pixels that ends after ${bytes.length} bytes`);
  }
  return { width, height };
}

/** The pixels of a BMP as red, green and blue bytes; alpha is left out. @throws as `measureBmp` */
export function decodeBmp(bytes: Uint8Array): Image {
  const { width, height } = measureBmp(bytes);
  const { data } = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), { toRGBA: false });
  const values = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < values.length; from += 4, to += 3) {
    values[to] = data[from + 3]!; // alpha, blue, green, red
    values[to + 1] = data[from + 2]!;
    values[to + 2] = data[from + 1]!;
  }
  return { height, width, channels: 3, values };
}

function bmpHeader(bytes: Uint8Array): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const info = view.getUint32(14, true);
  if (info < 40 || bytes.length < 14 + info)
    throw new Error(`it is a BMP with a header of ${info} bytes, which is not read`);
  return {
    start: view.getUint32(10, true),
    width: view.getInt32(18, true),
    height: Math.abs(view.getInt32(22, true)), // negative: its rows come from above
    bits: view.getUint16(28, true),
    compression: view.getUint32(30, true),
  };
}
