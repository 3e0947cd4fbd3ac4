import { blurModule } from '../kernels/blur-kernel.js';
import { SPARE } from '../kernels/room.js';
import { starter } from '../kernels/start.js';
import { mirrored } from './mirrored.js';

interface Kernels {
  readonly down: (...parameters: number[]) => void;
  readonly along: (...parameters: number[]) => void;
}

const started = starter<Kernels>(blurModule);

/**
 * `blurPixels` in vectors of WebAssembly, to the bit the same.
 *
 * @returns whether it was done
 */
export function blurByVectors(
  values: Uint8Array,
  height: number,
  width: number,
  channels: number,
  weights: Int16Array,
  reach: number,
): boolean {
  const found = started();
  if (found === null) return false;
  const { room, down, along } = found;
  const pairs = (reach + 1) >> 1; // the last of an odd number is beside a weight of 0
  const length = width * channels;
  const stride = 2 * channels;
  const pitch = 2 * length + 4 * pairs * stride; // of a row between the passes, with what is mirrored
  const rows = (weights.byteLength + 3) & ~3;
  const between = rows + 4 * (height + 4 * pairs);
  const image = between + height * pitch + SPARE;
  const { buffer } = room.whole(image);
  new Int16Array(buffer, 0, weights.length).set(weights);
  const begins = new Int32Array(buffer, rows, height + 4 * pairs);
  for (let i = 0; i < begins.length; i++) {
    begins[i] = image + length * Math.max(0, mirrored(i - 2 * pairs, height)); // one too far weighs nothing
  }
  const first = between + 2 * pairs * stride;
  room.through(image, values, height * length, (to) => {
    down(rows + 8 * pairs, length, first, pitch, height, 0, pairs);
    along(first, pitch, to, length, height, stride, reach * stride, 0, pairs);
  });
  return true;
}
