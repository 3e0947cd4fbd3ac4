import { Canvas, type Image, type Region } from '../../images/image.js';
import { ENLARGE_STEP } from '../kernels/assembly/constants.js';
import { kernelsForOp, SPARE } from '../kernels/instance.js';
import { checkSize, imageShape, op, type Size } from './op.js';

/** For each pixel of a row of `to` pixels: the `from` pixels that it is made of, and their weights. */
export interface FilterTaps {
  /** Weights of each pixel. */
  readonly count: number;
  /** [to] The first pixel that has a weight; all `count` lie inside the row. */
  readonly first: Int32Array;
  /** [to, count], in units of 2^−bits. */
  readonly weights: Int16Array;
  readonly bits: number;
}

/** Taps that are stored for one size, at most; photographs have ever new sizes. */
const MOST_TAPS = 512;

const tapsCache = new Map<number, Map<number, FilterTaps>>();

/** The taps of a triangle filter that is as wide as one pixel of the smaller row: Pillow's and PyTorch's antialiased bilinear. */
function tapsOf(from: number, to: number): FilterTaps {
  let known = tapsCache.get(to);
  if (!known) {
    known = new Map();
    tapsCache.set(to, known);
  }
  let taps = known.get(from);
  if (!taps) {
    if (known.size >= MOST_TAPS) known.clear();
    taps = makeTaps(from, to);
    known.set(from, taps);
  }
  return taps;
}

/** Weights are 16-bit integers with as many bits after the point as the largest leaves room for, as in PyTorch on bytes. */
function makeTaps(from: number, to: number): FilterTaps {
  const scale = from / to;
  const support = Math.max(1, scale);
  const rows: { first: number; weights: number[] }[] = [];
  let largest = 0;
  for (let i = 0; i < to; i++) {
    const center = scale * (i + 0.5);
    let first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    const weights: number[] = [];
    for (let j = first; j < end; j++) weights.push(Math.max(0, 1 - Math.abs((j - center + 0.5) / support)));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    while (weights.at(-1) === 0) weights.pop();
    for (; weights[0] === 0; first++) weights.shift();
    const normalized = weights.map((weight) => weight / sum);
    largest = Math.max(largest, ...normalized);
    rows.push({ first, weights: normalized });
  }
  let bits = 0;
  while (bits < 22 && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < 2 ** 15) bits++;

  const count = Math.min(from, Math.max(2, ...rows.map(({ weights }) => weights.length)));
  const taps = { count, first: new Int32Array(to), weights: new Int16Array(to * count), bits };
  rows.forEach(({ first, weights }, i) => {
    const start = Math.min(first, from - count);
    taps.first[i] = start;
    weights.forEach((weight, k) => {
      taps.weights[i * count + first - start + k] = Math.trunc(0.5 + weight * 2 ** bits);
    });
  });
  return taps;
}

const kernels = kernelsForOp();

/** Taps in the form of the kernels: the first tap of each pixel, then its weights in pairs; a zero fills up the last pair. */
interface TapPairs {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Where in `bytes` the weights begin. */
  readonly weights: number;
}

const pairsCache = new WeakMap<FilterTaps, TapPairs>();

function pairsOf(taps: FilterTaps): TapPairs {
  let pairs = pairsCache.get(taps);
  if (pairs === undefined) {
    const { count, first, weights } = taps;
    const even = (count + 1) & ~1;
    const entries = Math.ceil(first.length / ENLARGE_STEP) * ENLARGE_STEP;
    const bytes = new Uint8Array((4 + 2 * even) * entries);
    new Int32Array(bytes.buffer).set(first);
    const all = new Int16Array(bytes.buffer, 4 * entries);
    for (let i = 0; i < first.length; i++) all.set(weights.subarray(i * count, (i + 1) * count), i * even);
    pairs = { count: even / 2, bytes, weights: 4 * entries };
    pairsCache.set(taps, pairs);
  }
  return pairs;
}

/** The address of the next area. */
const behind = (at: number, size: number): number => (at + size + SPARE + 15) & ~15;

/**
 * `Resampler` for red, green and blue in vectors of WebAssembly, to the bit the same: rows first, then columns. Sums of integers do not
 * depend on their order.
 *
 * @returns false, with nothing done, where there are no vectors
 */
export function resampleByVectors(image: Image, region: Region, out: Canvas): boolean {
  const found = kernels();
  if (found === null) return false;
  const { memory, resampleAcross, enlargeAcross, resampleDown } = found;
  const [rowTaps, columnTaps] = [tapsOf(region.width, out.width), tapsOf(region.height, out.height)];
  const [row, column] = [pairsOf(rowTaps), pairsOf(columnTaps)];
  const pitch = image.width * 3;
  const length = out.width * 3;
  const columns = behind(0, row.bytes.length);
  const from = behind(columns, column.bytes.length);
  const rows = behind(from, region.height * pitch);
  const to = behind(rows, (region.height + 1) * length); // the last pair may read a row further, with a weight of 0
  const size = out.height * length;
  const bytes = memory.whole(to + size + SPARE);
  bytes.set(row.bytes);
  bytes.set(column.bytes, columns);
  const begin = region.top * pitch;
  bytes.set(image.values.subarray(begin, begin + region.height * pitch), from);

  const left = from + 3 * region.left;
  if (row.count === 1) enlargeAcross(left, pitch, rows, region.height, out.width, 0, row.weights, rowTaps.bits);
  else resampleAcross(left, pitch, rows, region.height, out.width, 0, row.weights, row.count, rowTaps.bits);
  const weights = columns + column.weights;
  resampleDown(rows, length, to, out.height, columns, weights, column.count, columnTaps.bits);
  out.values.set(bytes.subarray(to, to + size));
  return true;
}

/**
 * Resizes a part of an image, bilinear with antialiasing: rows first, then columns, bytes in between, only over the taps that
 * count. Pixels outside of the part have no influence.
 */
export class Resampler {
  private readonly rows: Canvas;
  private readonly out: Canvas;

  constructor(private readonly channels: number) {
    this.rows = new Canvas(channels);
    this.out = new Canvas(channels);
  }

  /** @returns memory that the next call overwrites */
  resample(image: Image, region: Region, height: number, width: number): Canvas {
    const { channels } = this;
    const out = this.out.resize(height, width);
    if (channels === 3 && resampleByVectors(image, region, out)) return out;
    const rows = this.rows.resize(region.height, width);
    const from = (region.top * image.width + region.left) * channels;
    const pitch = image.width * channels;
    across(image.values, from, pitch, rows, tapsOf(region.width, width));
    down(rows, out, tapsOf(region.height, height));
    return out;
  }
}

function across(values: Uint8Array, start: number, pitch: number, to: Canvas, taps: FilterTaps): void {
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

function down(from: Canvas, to: Canvas, taps: FilterTaps): void {
  const { count, first, weights, bits } = taps;
  const { height, values: out } = to;
  const { values } = from;
  const row = to.width * to.channels;
  const half = 1 << (bits - 1);
  for (let y = 0; y < height; y++) {
    const begin = first[y]! * row;
    const at = y * row;
    for (let i = 0; i < row; i++) {
      let sum = half;
      for (let k = 0, a = begin + i; k < count; k++, a += row) sum += weights[count * y + k]! * values[a]!;
      out[at + i] = sum >> bits;
    }
  }
}

export interface ResizeOptions {
  /** One number is the length of the shorter side; the other side keeps the proportion. */
  readonly size: Size;
}

/** Brings an image to a size (bilinear, antialiased): its shorter side, or both where two are given. */
export const resize = op('resize', { size: 'required' }, (options: ResizeOptions) => options, {
  kind: 'resizing',
  prepare({ op, size }, shape) {
    const [height, width, channels] = imageShape(op, shape);
    checkSize(op, size);
    const resampler = new Resampler(channels);
    const known = typeof size !== 'number' || (height !== undefined && width !== undefined);
    return {
      shape: known ? [...extents(size, height ?? 0, width ?? 0), channels] : [undefined, undefined, channels],
      apply(image) {
        const [outHeight, outWidth] = extents(size, image.height, image.width);
        const whole = { top: 0, left: 0, height: image.height, width: image.width };
        return resampler.resample(image, whole, outHeight, outWidth);
      },
    };
  },
});

function extents(size: Size, height: number, width: number): readonly [height: number, width: number] {
  if (typeof size !== 'number') return size;
  return height <= width ? [size, Math.trunc((size * width) / height)] : [Math.trunc((size * height) / width), size];
}
