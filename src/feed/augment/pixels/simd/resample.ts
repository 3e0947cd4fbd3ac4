import type { Canvas, Image } from '../../image.js';
import type { Region } from '../region.js';
import { type Taps, tapsOf } from '../taps.js';
import { resamplingModule } from './kernels.js';
import { type Memory, makeRoom, starter } from './start.js';

interface Kernels {
  readonly memory: Memory;
  readonly across: (...parameters: number[]) => void;
  readonly down: (...parameters: number[]) => void;
}

const SPARE = 64; // what may be read or written after an area's end

const started = starter<Kernels>(resamplingModule);

/** Taps as the kernels take them: where each place begins, in taps, and its weights in pairs, the last one filled up with a zero. */
interface Pairs {
  readonly count: number;
  readonly weights: Int16Array;
}

const kept = new WeakMap<Taps, Pairs>();

function pairsOf(taps: Taps): Pairs {
  let pairs = kept.get(taps);
  if (pairs === undefined) {
    const { count, first, weights } = taps;
    pairs = { count: (count + 1) >> 1, weights: new Int16Array(first.length * ((count + 1) & ~1)) };
    for (let i = 0; i < first.length; i++) {
      pairs.weights.set(weights.subarray(i * count, (i + 1) * count), i * 2 * pairs.count);
    }
    kept.set(taps, pairs);
  }
  return pairs;
}

/**
 * `Resampler` for red, green and blue in vectors of WebAssembly, to the bit the same: rows first, then columns, sums of integers in
 * any order being the same.
 *
 * @returns whether it was done
 */
export function resampleByVectors(image: Image, region: Region, out: Canvas): boolean {
  const found = started();
  if (found === null) return false;
  const { memory, across, down } = found;
  const [rowTaps, columnTaps] = [tapsOf(region.width, out.width), tapsOf(region.height, out.height)];
  const [row, column] = [pairsOf(rowTaps), pairsOf(columnTaps)];
  const pitch = image.width * 3;
  const length = out.width * 3;
  // the second of the last pair may be a row further, with a weight of 0
  const sizes = [4 * out.width, row.weights.byteLength, 4 * out.height, column.weights.byteLength];
  sizes.push(region.height * pitch, (region.height + 1) * length, out.height * length);
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((at, size) => at + ((size + SPARE + 15) & ~15), 0));
  const [acrossFirst, acrossWeights, downFirst, downWeights, from, rows, to] = starts as [number, ...number[]] as Areas;
  const need = to + sizes[6]! + SPARE;
  makeRoom(memory, need);

  const firsts = new Int32Array(memory.buffer, acrossFirst, out.width);
  for (let x = 0; x < out.width; x++) firsts[x] = 3 * rowTaps.first[x]!;
  const begins = new Int32Array(memory.buffer, downFirst, out.height);
  for (let y = 0; y < out.height; y++) begins[y] = length * columnTaps.first[y]!;
  new Int16Array(memory.buffer, acrossWeights, row.weights.length).set(row.weights);
  new Int16Array(memory.buffer, downWeights, column.weights.length).set(column.weights);
  const bytes = new Uint8Array(memory.buffer);
  const begin = region.top * pitch;
  bytes.set(image.values.subarray(begin, begin + region.height * pitch), from);

  const half = (bits: number): number => 1 << (bits - 1);
  const { bits } = rowTaps;
  const left = from + 3 * region.left;
  across(left, pitch, rows, region.height, out.width, acrossFirst, acrossWeights, row.count, half(bits), bits);
  const fine = columnTaps.bits;
  down(rows, length, to, out.height, downFirst, downWeights, column.count, half(fine), fine);
  out.values.set(bytes.subarray(to, to + out.height * length));
  return true;
}

type Areas = [number, number, number, number, number, number, number];
