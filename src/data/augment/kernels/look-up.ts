import { BYTE_TABLE, FLOAT_TABLES, LOOK_UP_STEP } from './assembly/constants.js';
import { kernelsForOp, SPARE } from './instance.js';

/** Where the values lie, behind the tables. */
const VALUES = BYTE_TABLE + 256;

/** Values that become floats at once: they stay in the processor's nearest cache until they are copied out. */
const PIECE = LOOK_UP_STEP * 384;
const OUT = VALUES + PIECE + SPARE - ((VALUES + PIECE) % 64);

const kernels = kernelsForOp();

/** All of the kernels' memory, as floats. */
let floats = new Float32Array(0);

/**
 * Replaces every byte by its entry in a table of 256 bytes.
 *
 * @param length how many of `values`, from the first on; those behind them stay
 */
export function lookUp(values: Uint8Array, length: number, table: Uint8Array): void {
  const found = kernels();
  if (found === null) {
    for (let i = 0; i < length; i++) values[i] = table[values[i]!]!;
    return;
  }
  const { memory, lookUpBytes } = found;
  memory.whole(VALUES).set(table, BYTE_TABLE);
  memory.through(VALUES, values, length, (to) => lookUpBytes(VALUES, to, length));
}

/**
 * Turns every byte into the float of its channel.
 *
 * @param values pixels, channel beside channel
 * @param length how many of them, from the first on
 * @param table [channels, 256]
 * @param out takes `length` floats
 */
export function lookUpFloats(values: Uint8Array, length: number, table: Float32Array, out: Float32Array): void {
  const found = kernels();
  if (found === null || (table.length !== 256 && table.length !== 3 * 256)) {
    for (let i = 0, c = 0; i < length; i++) {
      out[i] = table[c + values[i]!]!;
      c = (c + 256) % table.length;
    }
    return;
  }
  const { memory, lookUpFloats } = found;
  const bytes = memory.whole(OUT + 4 * PIECE + SPARE);
  if (floats.buffer !== bytes.buffer) floats = new Float32Array(bytes.buffer);
  for (let at = 0; at < 3 * 256; at += table.length) floats.set(table, FLOAT_TABLES / 4 + at);
  for (let from = 0; from < length; from += PIECE) {
    const count = Math.min(PIECE, length - from);
    bytes.set(values.subarray(from, from + count), VALUES);
    lookUpFloats(VALUES, OUT, count);
    out.set(floats.subarray(OUT / 4, OUT / 4 + count), from);
  }
}
