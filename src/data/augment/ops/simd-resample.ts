import type { Canvas, Image } from '../../images/augment-image.js';
import type { Region } from '../../images/region.js';
import { AT_ONCE } from '../kernels/enlarge-kernel.js';
import { resamplingModule } from '../kernels/kernels.js';
import { SPARE } from '../kernels/room.js';
import { starter } from '../kernels/start.js';
import { type Taps, tapsOf } from './taps.js';

interface ResampleKernels {
  readonly across: (...parameters: number[]) => void;
  readonly enlarge: (...parameters: number[]) => void;
  readonly down: (...parameters: number[]) => void;
}

const resampleKernels = starter<ResampleKernels>(resamplingModule);

/** Taps as the kernels take them: the first tap of each place, then the weights of each in pairs, the last one filled up with a zero. */
interface Pairs {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Where in `bytes` the weights begin. */
  readonly weights: number;
}

const pairsCache = new WeakMap<Taps, Pairs>();

function pairsOf(taps: Taps): Pairs {
  let pairs = pairsCache.get(taps);
  if (pairs === undefined) {
    const { count, first, weights } = taps;
    const even = (count + 1) & ~1;
    const places = Math.ceil(first.length / AT_ONCE) * AT_ONCE;
    const bytes = new Uint8Array((4 + 2 * even) * places);
    new Int32Array(bytes.buffer).set(first);
    const all = new Int16Array(bytes.buffer, 4 * places);
    for (let i = 0; i < first.length; i++) all.set(weights.subarray(i * count, (i + 1) * count), i * even);
    pairs = { count: even / 2, bytes, weights: 4 * places };
    pairsCache.set(taps, pairs);
  }
  return pairs;
}

/** Where what comes behind an area begins. */
const behind = (at: number, size: number): number => (at + size + SPARE + 15) & ~15;

/**
 * `Resampler` for red, green and blue in vectors of WebAssembly, to the bit the same: rows first, then columns, sums of integers in
 * any order being the same.
 *
 * @returns whether it was done
 */
export function resampleByVectors(image: Image, region: Region, out: Canvas): boolean {
  const found = resampleKernels();
  if (found === null) return false;
  const { room, across, enlarge, down } = found;
  const [rowTaps, columnTaps] = [tapsOf(region.width, out.width), tapsOf(region.height, out.height)];
  const [row, column] = [pairsOf(rowTaps), pairsOf(columnTaps)];
  const pitch = image.width * 3;
  const length = out.width * 3;
  const columns = behind(0, row.bytes.length);
  const from = behind(columns, column.bytes.length);
  const rows = behind(from, region.height * pitch);
  const to = behind(rows, (region.height + 1) * length); // the second of the last pair may be a row further, with a weight of 0
  const size = out.height * length;
  const bytes = room.whole(to + size + SPARE);
  bytes.set(row.bytes);
  bytes.set(column.bytes, columns);
  const begin = region.top * pitch;
  bytes.set(image.values.subarray(begin, begin + region.height * pitch), from);

  const half = (bits: number): number => 1 << (bits - 1);
  const { bits } = rowTaps;
  const left = from + 3 * region.left;
  if (row.count === 1) {
    const fours = Math.ceil(out.width / AT_ONCE);
    enlarge(left, pitch, rows, length, region.height, fours, 0, row.weights, half(bits), bits);
  } else across(left, pitch, rows, region.height, out.width, 0, row.weights, row.count, half(bits), bits);
  const fine = columnTaps.bits;
  const weights = columns + column.weights;
  down(rows, length, to, out.height, columns, weights, column.count, half(fine), fine);
  out.values.set(bytes.subarray(to, to + size));
  return true;
}
