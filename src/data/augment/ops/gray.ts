import { grayModule } from '../kernels/gray-kernel.js';
import { SPARE } from '../kernels/room.js';
import { starter } from '../kernels/start.js';

interface GrayKernels {
  readonly blend: (from: number, to: number, fours: number, factors: number) => void;
  readonly sum: (from: number, sums: number, fours: number) => void;
}

const grayKernels = starter<GrayKernels>(grayModule);

/** Where the pixels begin, behind two factors or four sums. */
const GRAY_PIXELS = 16;
const factors = new Float32Array(2);
const bytesOfFactors = new Uint8Array(factors.buffer);

/**
 * `blendPixels` in vectors of WebAssembly, to the bit the same.
 *
 * @returns whether it was done
 */
export function blendByVectors(values: Uint8Array, length: number, factor: number, rest: number): boolean {
  if (length === 0) return true;
  const found = grayKernels();
  if (found === null) return false;
  const { room, blend } = found;
  factors[0] = factor;
  factors[1] = rest;
  room.whole(GRAY_PIXELS).set(bytesOfFactors);
  room.through(GRAY_PIXELS, values, length, (to) => blend(GRAY_PIXELS, to, Math.ceil(length / 12), 0));
  return true;
}

/** The sum of the gray of all pixels of red, green and blue; undefined where vectors are not to be had. */
export function sumByVectors(values: Uint8Array, length: number): number | undefined {
  if (length === 0) return 0;
  const found = grayKernels();
  if (found === null) return undefined;
  const { room, sum } = found;
  const whole = room.whole(GRAY_PIXELS + length + SPARE);
  whole.set(values.length === length ? values : values.subarray(0, length), GRAY_PIXELS);
  whole.fill(0, GRAY_PIXELS + length, GRAY_PIXELS + length + 12);
  sum(GRAY_PIXELS, 0, Math.ceil(length / 12));
  const sums = new Uint32Array(whole.buffer, 0, 4);
  return sums[0]! + sums[1]! + sums[2]! + sums[3]!;
}
