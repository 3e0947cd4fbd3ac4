import { Canvas, type Image } from '../image.js';
import { type Taps, tapsOf } from './taps.js';

/** A part of an image, in pixels. */
export interface Region {
  top: number;
  left: number;
  height: number;
  width: number;
}

/**
 * Resizes a part of an image, bilinear with antialiasing: rows first, then columns, bytes in between, only over the taps that
 * count. What lies outside the part is not looked at.
 */
export class Resampler {
  private readonly rows: Canvas;
  private readonly out: Canvas;

  constructor(private readonly channels: number) {
    this.rows = new Canvas(channels);
    this.out = new Canvas(channels);
  }

  /** @returns memory that is used again at the next call */
  resample(image: Image, region: Region, height: number, width: number): Canvas {
    const { channels } = this;
    const rows = this.rows.resize(region.height, width);
    const out = this.out.resize(height, width);
    const across = tapsOf(region.width, width);
    const from = (region.top * image.width + region.left) * channels;
    const pitch = image.width * channels;
    if (channels === 3 && across.count === 2) pairsAcross(image.values, from, pitch, rows, across);
    else if (channels === 3) coloursAcross(image.values, from, pitch, rows, across);
    else allAcross(image.values, from, pitch, rows, across);
    const taps = tapsOf(region.height, height);
    if (taps.count === 2 && (width * channels) % 4 === 0) pairsDown(rows, out, taps);
    else allDown(rows, out, taps);
    return out;
  }
}

/** Across rows of three channels with two taps: every enlargement. */
function pairsAcross(values: Uint8Array, start: number, pitch: number, to: Canvas, taps: Taps): void {
  const { first, weights, bits } = taps;
  const { height, width, values: out } = to;
  const half = 1 << (bits - 1);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const row = start + y * pitch;
    for (let x = 0; x < width; x++, at += 3) {
      const a = row + 3 * first[x]!;
      const v = weights[2 * x]!;
      const w = weights[2 * x + 1]!;
      out[at] = (v * values[a]! + w * values[a + 3]! + half) >> bits;
      out[at + 1] = (v * values[a + 1]! + w * values[a + 4]! + half) >> bits;
      out[at + 2] = (v * values[a + 2]! + w * values[a + 5]! + half) >> bits;
    }
  }
}

/** Across rows of three channels with any number of taps. */
function coloursAcross(values: Uint8Array, start: number, pitch: number, to: Canvas, taps: Taps): void {
  const { count, first, weights, bits } = taps;
  const { height, width, values: out } = to;
  const half = 1 << (bits - 1);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const row = (start + y * pitch) | 0; // 32 bits, so that no sum is checked for more
    for (let x = 0, k = 0; x < width; x++, at += 3) {
      let a = (row + 3 * first[x]!) | 0;
      let r = half;
      let g = half;
      let b = half;
      for (const end = (k + count) | 0; k < end; k = (k + 1) | 0, a = (a + 3) | 0) {
        const weight = weights[k]!;
        r = (r + Math.imul(weight, values[a]!)) | 0;
        g = (g + Math.imul(weight, values[a + 1]!)) | 0;
        b = (b + Math.imul(weight, values[a + 2]!)) | 0;
      }
      out[at] = r >> bits;
      out[at + 1] = g >> bits;
      out[at + 2] = b >> bits;
    }
  }
}

/** Across rows of any number of channels. */
function allAcross(values: Uint8Array, start: number, pitch: number, to: Canvas, taps: Taps): void {
  const { count, first, weights, bits } = taps;
  const { height, width, channels, values: out } = to;
  const half = 1 << (bits - 1);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const row = start + y * pitch;
    for (let x = 0; x < width; x++) {
      const begin = row + channels * first[x]!;
      for (let c = 0; c < channels; c++, at++) {
        let sum = half;
        for (let k = 0, a = begin + c; k < count; k++, a += channels) sum += weights[count * x + k]! * values[a]!;
        out[at] = sum >> bits;
      }
    }
  }
}

/** Down columns with any number of taps. The first three are written out: a loop over them takes twice as long. */
function allDown(from: Canvas, to: Canvas, { count, first, weights, bits }: Taps): void {
  const { values } = from;
  const out = to.values;
  const row = (to.width * to.channels) | 0;
  const half = 1 << (bits - 1);
  for (let y = 0; y < to.height; y++) {
    const begin = Math.imul(first[y]!, row);
    const at = Math.imul(y, row);
    const place = Math.imul(y, count);
    const v = weights[place]!;
    const w = count > 1 ? weights[place + 1]! : 0;
    const u = count > 2 ? weights[place + 2]! : 0;
    const second = count > 1 ? row : 0;
    const third = count > 2 ? 2 * row : 0;
    for (let i = 0; i < row; i++) {
      const a = (begin + i) | 0;
      let sum = (half + Math.imul(v, values[a]!) + Math.imul(w, values[(a + second) | 0]!)) | 0;
      sum = (sum + Math.imul(u, values[(a + third) | 0]!)) | 0;
      for (let k = 3, b = (a + 3 * row) | 0; k < count; k++, b = (b + row) | 0) {
        sum = (sum + Math.imul(weights[place + k]!, values[b]!)) | 0;
      }
      out[at + i] = sum >> bits;
    }
  }
}

/** Every second of four bytes. */
const EVEN = 0x00ff00ff;

/**
 * Down columns with two taps, four bytes at a time: two lie in one product, as weights of 8 bits leave room between them. Those
 * are half a grey level off at most, where one byte is 0 and the other 255.
 */
function pairsDown(from: Canvas, to: Canvas, { first, weights, bits }: Taps): void {
  const row = (to.width * to.channels) >> 2;
  const values = from.words;
  const out = to.words;
  const half = 0x00800080;
  const more = bits - 8;
  for (let y = 0; y < to.height; y++) {
    const upper = Math.imul(first[y]!, row);
    const lower = (upper + row) | 0;
    const v = (weights[2 * y]! + (1 << (more - 1))) >> more;
    const w = 256 - v;
    const at = Math.imul(y, row);
    for (let i = 0; i < row; i++) {
      const a = values[(upper + i) | 0]!;
      const b = values[(lower + i) | 0]!;
      const even = (Math.imul(a & EVEN, v) + Math.imul(b & EVEN, w) + half) >>> 8;
      const odd = Math.imul((a >>> 8) & EVEN, v) + Math.imul((b >>> 8) & EVEN, w) + half;
      out[(at + i) | 0] = (even & EVEN) | (odd & ~EVEN);
    }
  }
}
