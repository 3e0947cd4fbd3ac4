import { BLUE, GREEN, RED, WEIGHT_BITS } from '../gray.js';
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

const at = locals('from', 'to', 'left', 'factors', 'bytes', 'r', 'g', 'b', 'gray');

/** One color of the first four pixels, each widened to 32 bits by zeros. */
const color = (c: number): Code =>
  shuffle(
    get(at.bytes),
    zeros,
    Array.from({ length: 16 }, (_, i) => (i % 4 === 0 ? c + (3 * i) / 4 : 16)),
  );

/** Reads four pixels and takes them apart, their gray included: `gray` of `gray.ts`. */
const takeApart: Code = [
  set(at.bytes, loadVector(get(at.from))),
  set(at.r, color(0)),
  set(at.g, color(1)),
  set(at.b, color(2)),
  set(at.gray, timesVectors(get(at.r), splat(constant(RED)))),
  set(at.gray, addVectors(get(at.gray), timesVectors(get(at.g), splat(constant(GREEN))))),
  set(at.gray, addVectors(get(at.gray), timesVectors(get(at.b), splat(constant(BLUE))))),
  set(at.gray, shiftRight(get(at.gray), constant(WEIGHT_BITS))),
];
const next: Code = [step(at.from, constant(12)), step(at.left, constant(-1))];

/**
 * Blends four pixels at a time with their gray: `factors` points to the float that colors are multiplied by, behind which is that of
 * gray. 16 bytes are read and written, of which the next four take the last four back. Memory must go on after the last.
 */
const blend = ((): Kernel => {
  const part = (c: number): Code =>
    toIntegers(addFloats(timesFloats(toFloats(get(c)), loadSplat(get(at.factors))), get(at.gray)));
  return {
    name: 'blend',
    parameters: 4,
    integers: 0,
    vectors: 5,
    body: [
      repeatWhile(
        get(at.left),
        takeApart,
        set(at.gray, timesFloats(toFloats(get(at.gray)), loadSplat(add(get(at.factors), constant(4))))),
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

/** Adds up the gray of four pixels at a time, in four sums to be added: at `to`. */
const sum = ((): Kernel => {
  const total = at.gray + 1;
  return {
    name: 'sum',
    parameters: 3,
    integers: 1,
    vectors: 6,
    body: [
      repeatWhile(get(at.left), takeApart, set(total, addVectors(get(total), get(at.gray))), next),
      storeVector(get(at.to), get(total)),
    ],
  };
})();

export const grayModule = (): Uint8Array<ArrayBuffer> => assemble([blend, sum]);
