import { BLUE, GREEN, RED, WEIGHT_BITS } from '../grey.js';
import {
  add,
  addFloats,
  addVectors,
  assemble,
  type Code,
  constant,
  get,
  type Kernel,
  loadSplat,
  loadVector,
  locals,
  narrow16,
  narrow32,
  repeatWhile,
  set,
  shiftRight,
  shuffle,
  splat,
  step,
  storeVector,
  timesFloats,
  timesVectors,
  toFloats,
  toIntegers,
  zeros,
} from './assemble.js';

const at = locals('from', 'to', 'left', 'factors', 'bytes', 'r', 'g', 'b', 'grey');

/** One colour of the first four pixels, each widened to 32 bits by zeros. */
const colour = (c: number): Code =>
  shuffle(
    get(at.bytes),
    zeros,
    Array.from({ length: 16 }, (_, i) => (i % 4 === 0 ? c + (3 * i) / 4 : 16)),
  );

/** Reads four pixels and takes them apart, their grey included: `grey` of `grey.ts`. */
const takeApart: Code = [
  set(at.bytes, loadVector(get(at.from))),
  set(at.r, colour(0)),
  set(at.g, colour(1)),
  set(at.b, colour(2)),
  set(at.grey, timesVectors(get(at.r), splat(constant(RED)))),
  set(at.grey, addVectors(get(at.grey), timesVectors(get(at.g), splat(constant(GREEN))))),
  set(at.grey, addVectors(get(at.grey), timesVectors(get(at.b), splat(constant(BLUE))))),
  set(at.grey, shiftRight(get(at.grey), constant(WEIGHT_BITS))),
];
const next: Code = [step(at.from, constant(12)), step(at.left, constant(-1))];

/**
 * Blends four pixels at a time with their grey: `factors` points to the float that colours are multiplied by, behind which is that of
 * grey. 16 bytes are read and written, of which the next four take the last four back. Memory must go on after the last.
 */
const blend = ((): Kernel => {
  const part = (c: number): Code =>
    toIntegers(addFloats(timesFloats(toFloats(get(c)), loadSplat(get(at.factors))), get(at.grey)));
  return {
    name: 'blend',
    parameters: 4,
    integers: 0,
    vectors: 5,
    body: [
      repeatWhile(
        get(at.left),
        takeApart,
        set(at.grey, timesFloats(toFloats(get(at.grey)), loadSplat(add(get(at.factors), constant(4))))),
        set(at.r, narrow32(part(at.r), part(at.g))),
        set(at.r, narrow16(get(at.r), narrow32(part(at.b), zeros))),
        storeVector(
          get(at.to),
          shuffle(get(at.r), get(at.bytes), [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, 28, 29, 30, 31]),
        ),
        step(at.to, constant(12)),
        next,
      ),
    ],
  };
})();

/** Adds up the grey of four pixels at a time, in four sums to be added: at `to`. */
const sum = ((): Kernel => {
  const total = at.grey + 1;
  return {
    name: 'sum',
    parameters: 3,
    integers: 1,
    vectors: 6,
    body: [
      repeatWhile(get(at.left), takeApart, set(total, addVectors(get(total), get(at.grey))), next),
      storeVector(get(at.to), get(total)),
    ],
  };
})();

export const greyModule = (): Uint8Array<ArrayBuffer> => assemble([blend, sum]);
