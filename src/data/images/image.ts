import { decode } from 'bmp-ts';

/** A decoded image: rows of pixels, the channels of a pixel side by side, bytes 0 to 255. */
export interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** [height, width, channels]; the array may be longer. */
  readonly values: Uint8Array;
}

/** An image whose memory is used again for the next one, and grows with it. */
export class Canvas implements Image {
  height = 0;
  width = 0;
  values: Uint8Array = new Uint8Array(0);

  constructor(readonly channels: number) {}

  /** Sets the size; the pixels are then undefined. */
  resize(height: number, width: number): this {
    this.height = height;
    this.width = width;
    const length = height * width * this.channels;
    if (this.values.length < length) this.values = new Uint8Array(length);
    return this;
  }
}

/** A part of an image, in pixels. */
export interface Region {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** Bits a pixel that are read; each was compared with Pillow. The library decodes 4 bits to black. */
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

/** The size of a BMP, by its header alone. @throws an Error for a kind that is not read, and for a file that is cut short */
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
    height: Math.abs(view.getInt32(22, true)), // negative where rows run from top to bottom
    bits: view.getUint16(28, true),
    compression: view.getUint32(30, true),
  };
}

/** The first frame of a GIF, made opaque. */
export interface OpaqueGif {
  /** The file, its first frame without a transparent color: every index stands for its palette's color. */
  readonly bytes: Uint8Array;
  /** The frame's position on its screen, and the color around it; undefined where the frame covers the screen. */
  readonly within?: {
    readonly frame: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
    readonly around: {
      readonly left: number;
      readonly top: number;
      readonly right: number;
      readonly bottom: number;
      readonly background: { readonly r: number; readonly g: number; readonly b: number };
    };
  };
}

/**
 * A GIF without transparency, as Pillow converts it to RGB: a transparent index shows its palette's color, where libvips shows black.
 * Around a frame that is smaller than its screen Pillow shows the transparent index, or else the first.
 *
 * @returns undefined for another kind of file, and where no frame is found
 */
export function opaqueGif(bytes: Uint8Array): OpaqueGif | undefined {
  if (!GIF_MAGIC.every((byte, i) => bytes[i] === byte)) return undefined;
  const colors = (packed: number): number => (packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0);
  let at = 13 + colors(bytes[10]!);
  let control: number | undefined; // where the frame's flags are
  while (at < bytes.length) {
    if (bytes[at] === 0x2c) {
      const opaque = new Uint8Array(bytes); // a copy: a Buffer's own `slice` is none
      const transparent = control !== undefined && (bytes[control]! & 1) === 1 ? bytes[control + 3]! : 0;
      if (control !== undefined) opaque[control]! &= ~1;
      const local = colors(bytes[at + 9]!) > 0;
      const [r = 0, g = 0, b = 0] = bytes.subarray((local ? at + 10 : 13) + 3 * transparent);
      const word = (from: number): number => bytes[from]! + 256 * bytes[from + 1]!;
      const [left, top, width, height] = [word(at + 1), word(at + 3), word(at + 5), word(at + 7)];
      const [right, bottom] = [word(6) - left - width, word(8) - top - height];
      const covers = left === 0 && top === 0 && right <= 0 && bottom <= 0;
      if (covers || right < 0 || bottom < 0) return { bytes: opaque };
      const around = { left, top, right, bottom, background: { r, g, b } };
      return { bytes: opaque, within: { frame: { left, top, width, height }, around } };
    }
    if (bytes[at] !== 0x21) return undefined;
    if (bytes[at + 1] === 0xf9) control = at + 3;
    for (at += 2; at < bytes.length && bytes[at] !== 0; ) at += bytes[at]! + 1;
    at++;
  }
  return undefined;
}

const GIF_MAGIC = [...Buffer.from('GIF8')];

/** The header of a JPEG. */
export interface JpegFrame {
  /** The last of the marker's two bytes: 0xc0 baseline, 0xc1 extended, 0xc2 progressive; others are rare. */
  readonly process: number;
  /** Bits of a sample. */
  readonly precision: number;
  readonly height: number;
  readonly width: number;
  readonly components: number;
  /** Whether EXIF stands anywhere in the header, before or behind the frame: it may hold an orientation. */
  readonly exif: boolean;
}

/** Reads the whole header of a JPEG; undefined for another kind of file, and where no frame or no end of the header is found. */
export function frameOf(bytes: Uint8Array): JpegFrame | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const word = (at: number): number => bytes[at]! * 256 + bytes[at + 1]!;
  let exif = false;
  let frame: Omit<JpegFrame, 'exif'> | undefined;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === SCAN) return frame && { ...frame, exif };
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [height, width] = [word(at + 5), word(at + 7)];
      frame = { process: marker, precision: bytes[at + 4]!, height, width, components: bytes[at + 9]! };
    }
    exif ||= marker === 0xe1 && EXIF.every((byte, i) => bytes[at + 4 + i] === byte);
    at += 2 + word(at + 2);
  }
  return undefined;
}

/** The marker of a scan: pixels begin, and no decoder reads an orientation behind it. */
const SCAN = 0xda;

const EXIF = [...Buffer.from('Exif')];
