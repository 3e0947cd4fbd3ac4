import { hueModule } from './hue-kernel.js';
import { type Memory, makeRoom, starter } from './start.js';

interface Kernels {
  readonly memory: Memory;
  readonly turn: (at: number, fours: number, shift: number) => void;
}

const started = starter<Kernels>(hueModule);

/** Memory behind the last pixel: those that fill up the last four, and what is read with them. */
const SPARE = 16;

/**
 * `turnPixels` in vectors of WebAssembly, to the bit the same.
 *
 * @returns whether it was done
 */
export function turnByVectors(values: Uint8Array, length: number, shift: number): boolean {
  if (length === 0) return true;
  const found = started();
  if (found === null) return false;
  const { memory, turn } = found;
  makeRoom(memory, length + SPARE);
  const bytes = new Uint8Array(memory.buffer, 0, length);
  bytes.set(values.length === length ? values : values.subarray(0, length));
  turn(0, Math.ceil(length / 12), shift);
  values.set(bytes);
  return true;
}
