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
} from './assembler.js';
import { BLUE, GREEN, RED, WEIGHT_BITS } from './gray.js';

const grayAt = locals('from', 'to', 'left', 'factors', 'bytes', 'r', 'g', 'b', 'gray');

/** One color of the first four pixels, each widened to 32 bits by zeros. */
const grayColor = (c: number): Code =>
  shuffle(
    get(grayAt.bytes),
    zeros,
    Array.from({ length: 16 }, (_, i) => (i % 4 === 0 ? c + (3 * i) / 4 : 16)),
  );

/** Reads four pixels and takes them apart, their gray included: `gray` of `gray.ts`. */
const takeApart: Code = [
  set(grayAt.bytes, loadVector(get(grayAt.from))),
  set(grayAt.r, grayColor(0)),
  set(grayAt.g, grayColor(1)),
  set(grayAt.b, grayColor(2)),
  set(grayAt.gray, timesVectors(get(grayAt.r), splat(constant(RED)))),
  set(grayAt.gray, addVectors(get(grayAt.gray), timesVectors(get(grayAt.g), splat(constant(GREEN))))),
  set(grayAt.gray, addVectors(get(grayAt.gray), timesVectors(get(grayAt.b), splat(constant(BLUE))))),
  set(grayAt.gray, shiftRight(get(grayAt.gray), constant(WEIGHT_BITS))),
];
const next: Code = [step(grayAt.from, constant(12)), step(grayAt.left, constant(-1))];

/**
 * Blends four pixels at a time with their gray: `factors` points to the float that colors are multiplied by, behind which is that of
 * gray. 16 bytes are read and written, of which the next four take the last four back. Memory must go on after the last.
 */
const blend = ((): Kernel => {
  const part = (c: number): Code =>
    toIntegers(addFloats(timesFloats(toFloats(get(c)), loadSplat(get(grayAt.factors))), get(grayAt.gray)));
  return {
    name: 'blend',
    parameters: 4,
    integers: 0,
    vectors: 5,
    body: [
      repeatWhile(
        get(grayAt.left),
        takeApart,
        set(grayAt.gray, timesFloats(toFloats(get(grayAt.gray)), loadSplat(add(get(grayAt.factors), constant(4))))),
        set(grayAt.r, narrow32(part(grayAt.r), part(grayAt.g))),
        set(grayAt.r, narrow16(get(grayAt.r), narrow32(part(grayAt.b), zeros))),
        storeVector(
          get(grayAt.to),
          shuffle(get(grayAt.r), get(grayAt.bytes), [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, 28, 29, 30, 31]),
        ),
        step(grayAt.to, constant(12)),
        next,
      ),
    ],
  };
})();

/** Adds up the gray of four pixels at a time, in four sums to be added: at `to`. */
const sum = ((): Kernel => {
  const total = grayAt.gray + 1;
  return {
    name: 'sum',
    parameters: 3,
    integers: 1,
    vectors: 6,
    body: [
      repeatWhile(get(grayAt.left), takeApart, set(total, addVectors(get(total), get(grayAt.gray))), next),
      storeVector(get(grayAt.to), get(total)),
    ],
  };
})();

export const grayModule = (): Uint8Array<ArrayBuffer> => assemble([blend, sum]);
