import {
  assemble,
  type Code,
  constant,
  get,
  type Kernel,
  loadByte,
  loadFloat,
  locals,
  repeatWhile,
  shiftOne,
  step,
  storeByte,
  storeFloat,
} from './assembler.js';
import { SPARE, starter } from './instance.js';

/** Where the tables lie: of floats one for each of three channels, then one of bytes, then what is looked up. */
export const FLOATS = 0;
export const BYTES = 3 * 1024;
export const VALUES = BYTES + 256;

/** Values that are looked up in one go. */
export const AT_ONCE = 12;

/**
 * Bytes through a table, one at a time, for there is no vector of look-ups: what is saved are the checks that an index lies in its array,
 * a wrong one of which JavaScript has to notice, and they take more time than all else. Memory must go on after the last.
 */
const toBytes = kernel('toBytes', 1, (from, to, i) => storeByte(to, loadByte(loadByte(from, i), BYTES), i));

/** The same to floats, for three channels side by side. */
const toFloats = kernel('toFloats', 4, (from, to, i) => {
  const place = shiftOne(loadByte(from, i), constant(2));
  return storeFloat(to, loadFloat(place, FLOATS + 1024 * (i % 3)), 4 * i);
});

/** `left` times as many values as are looked up in one go; what is made of a value takes `bytes`. */
function kernel(name: string, bytes: number, one: (from: Code, to: Code, i: number) => Code): Kernel {
  const at = locals('from', 'to', 'left');
  return {
    name,
    parameters: 3,
    integers: 0,
    vectors: 0,
    body: [
      repeatWhile(
        get(at.left),
        Array.from({ length: AT_ONCE }, (_, i) => one(get(at.from), get(at.to), i)),
        step(at.from, constant(AT_ONCE)),
        step(at.to, constant(bytes * AT_ONCE)),
        step(at.left, constant(-1)),
      ),
    ],
  };
}

export const lookUpModule = (): Uint8Array<ArrayBuffer> => assemble([toBytes, toFloats]);

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

/** Every byte through a table of 256. */
export function lookUp(values: Uint8Array, length: number, table: Uint8Array): void {
  if (bytesByModule(values, length, table)) return;
  for (let i = 0; i < length; i++) values[i] = table[values[i]!]!;
}

/** Every byte through the table of its channel, [channels, 256], to floats. */
export function lookUpFloats(values: Uint8Array, length: number, table: Float32Array, out: Float32Array): void {
  if (floatsByModule(values, length, table, out)) return;
  for (let i = 0, c = 0; i < length; i++) {
    out[i] = table[c + values[i]!]!;
    c = (c + 256) % table.length;
  }
}
