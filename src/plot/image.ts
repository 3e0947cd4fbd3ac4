import { deflateSync } from 'node:zlib';
import { crc32 } from '../storage/digest.js';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/**
 * Encodes 8-bit RGB pixels, row by row, as PNG (ISO/IEC 15948), which SVG can embed.
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

/** Height, width and channels of a sample that can be looked at; null for one that cannot. */
export function imageShape(shape: readonly number[]): readonly [height: number, width: number, channels: 1 | 3] | null {
  if (shape.length === 1) {
    const side = Math.sqrt(shape[0]!);
    return Number.isInteger(side) && side >= 8 ? [side, side, 1] : null; // a flattened digit, not a few features
  }
  const [height = 0, width = 0, channels = 1] = shape;
  if (shape.length > 3 || height < 2 || width < 2 || (channels !== 1 && channels !== 3)) return null;
  return [height, width, channels];
}

/** A sample as a data URI: gray or RGB (channels last), from `low` (black) to `high` (white). */
export function picture(values: Float32Array, shape: readonly number[], range: readonly [number, number]): string {
  const [height, width] = imageShape(shape)!;
  return uri(png(width, height, pixels(values, shape, range)));
}

/** The same as RGB, row by row. */
export function pixels(
  values: Float32Array,
  shape: readonly number[],
  [low, high]: readonly [number, number],
): Uint8Array {
  const [height, width, channels] = imageShape(shape)!;
  const pixels = new Uint8Array(3 * height * width);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) {
      const value = values[i * channels + (channels === 3 ? c : 0)]!;
      pixels[3 * i + c] = Math.round(255 * Math.min(1, Math.max(0, (value - low) / (high - low))));
    }
  }
  return pixels;
}

// The ends of ColorBrewer's red-blue scale, which color-blind readers tell apart.
const LESS = [33, 102, 172] as const;
const MORE = [178, 24, 43] as const;

/** A perturbation as a data URI: blue where it lowers, white where it leaves, red where it raises; mean over channels. */
export function perturbation(delta: Float32Array, shape: readonly number[], scale: number): string {
  const [height, width] = imageShape(shape)!;
  return uri(png(width, height, perturbationPixels(delta, shape, scale)));
}

/** The same as RGB, row by row. */
export function perturbationPixels(delta: Float32Array, shape: readonly number[], scale: number): Uint8Array {
  const [height, width, channels] = imageShape(shape)!;
  const pixels = new Uint8Array(3 * height * width);
  for (let i = 0; i < height * width; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += delta[i * channels + c]!;
    const share = Math.max(-1, Math.min(1, scale > 0 ? sum / channels / scale : 0));
    const end = share < 0 ? LESS : MORE;
    for (let c = 0; c < 3; c++) pixels[3 * i + c] = Math.round(255 + (end[c]! - 255) * Math.abs(share));
  }
  return pixels;
}

/** Black and white: 0 and 1 for pixels, else the extremes of the sample (normalized inputs). */
export function brightness(values: Float32Array): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return low >= 0 && high <= 1 ? [0, 1] : [low, high];
}

/** The largest change of a pixel, taken as the mean over its channels. */
export function largest(delta: Float32Array, channels: number): number {
  let most = 0;
  for (let i = 0; i < delta.length; i += channels) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += delta[i + c]!;
    most = Math.max(most, Math.abs(sum / channels));
  }
  return most;
}

function uri(bytes: Buffer): string {
  return `data:image/png;base64,${bytes.toString('base64')}`;
}
