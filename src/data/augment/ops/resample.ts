import { Canvas, type Image } from '../../images/augment-image.js';
import type { Region } from '../../images/region.js';
import { resampleByVectors } from './simd-resample.js';
import { type Taps, tapsOf } from './taps.js';

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
    const out = this.out.resize(height, width);
    if (channels === 3 && resampleByVectors(image, region, out)) return out;
    const rows = this.rows.resize(region.height, width);
    const across = tapsOf(region.width, width);
    const from = (region.top * image.width + region.left) * channels;
    const pitch = image.width * channels;
    if (channels === 3 && across.count === 2) pairsAcross(image.values, from, pitch, rows, across);
    else allAcross(image.values, from, pitch, rows, across);
    down(rows, out, tapsOf(region.height, height));
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

function down(from: Canvas, to: Canvas, taps: Taps): void {
  const { count, first, weights, bits } = taps;
  const { height, values: out } = to;
  const { values } = from;
  const row = to.width * to.channels;
  const half = 1 << (bits - 1);
  for (let y = 0; y < height; y++) {
    const begin = first[y]! * row;
    const at = y * row;
    if (count === 2) {
      const v = weights[2 * y]!;
      const w = weights[2 * y + 1]!;
      for (let i = 0; i < row; i++) {
        out[at + i] = (v * values[begin + i]! + w * values[begin + row + i]! + half) >> bits;
      }
      continue;
    }
    for (let i = 0; i < row; i++) {
      let sum = half;
      for (let k = 0, a = begin + i; k < count; k++, a += row) sum += weights[count * y + k]! * values[a]!;
      out[at + i] = sum >> bits;
    }
  }
}
