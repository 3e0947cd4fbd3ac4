import { AT_ONCE, BYTES, FLOATS, lookUpModule, VALUES } from './look-up-kernel.js';
import { SPARE } from './room.js';
import { starter } from './start.js';

interface Kernels {
  readonly toBytes: (from: number, to: number, times: number) => void;
  readonly toFloats: (from: number, to: number, times: number) => void;
}

const started = starter<Kernels>(lookUpModule);

/** Values that are made floats at once: they stay in the processor's nearest cache until they are copied out. */
const PIECE = AT_ONCE * 384;
const OUT = VALUES + PIECE + SPARE - ((VALUES + PIECE) % 64);

/**
 * Every byte through a table of 256 bytes.
 *
 * @returns whether it was done
 */
export function bytesByModule(values: Uint8Array, length: number, table: Uint8Array): boolean {
  if (length === 0) return true;
  const found = started();
  if (found === null) return false;
  const { room, toBytes } = found;
  room.whole(VALUES).set(table, BYTES);
  room.through(VALUES, values, length, (to) => toBytes(VALUES, to, Math.ceil(length / AT_ONCE)));
  return true;
}

/**
 * Every byte through the table of its channel, one of 1 or 3: [channels, 256].
 *
 * @returns whether it was done
 */
export function floatsByModule(values: Uint8Array, length: number, table: Float32Array, out: Float32Array): boolean {
  const found = started();
  if (found === null || (table.length !== 256 && table.length !== 3 * 256)) return false;
  const { room, toFloats } = found;
  const bytes = room.whole(OUT + 4 * PIECE + SPARE);
  if (floats.buffer !== bytes.buffer) floats = new Float32Array(bytes.buffer);
  for (let at = 0; at < 3 * 256; at += table.length) floats.set(table, FLOATS / 4 + at);
  for (let from = 0; from < length; from += PIECE) {
    const count = Math.min(PIECE, length - from);
    bytes.set(values.subarray(from, from + count), VALUES);
    toFloats(VALUES, OUT, Math.ceil(count / AT_ONCE));
    out.set(floats.subarray(OUT / 4, OUT / 4 + count), from);
  }
  return true;
}

/** All of the module's memory. */
let floats = new Float32Array(0);
