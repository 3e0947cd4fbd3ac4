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
