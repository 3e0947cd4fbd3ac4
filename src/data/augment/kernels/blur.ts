import {
  add,
  addShorts,
  addVectors,
  assemble,
  type Code,
  constant,
  dot,
  get,
  type Kernel,
  lessThan,
  load,
  loadBytesAsShorts,
  loadShort,
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
  storeHalf,
  storeShort,
  storeVector,
  subtractOne,
  zeros,
} from './assembler.js';

/** Bits after the point of weights, which add up to 1, and of the values between the two passes. */
const BITS = 15;
const BETWEEN = 6;
/** Bits that a sum has too many after the pass down columns, and after the pass along rows. */
export const DOWN = BITS - BETWEEN;
export const ALONG = BITS + BETWEEN;

/** Taps that weigh less than this are left out: together less than a tenth of a gray level. */
const LEAST = 1e-4;

/**
 * Sets the 16-bit weights of a Gaussian: of the middle, a 0 beside it, then outwards those of both sides, zeros behind them.
 *
 * @param sigma standard deviation in pixels
 * @param into room for 3 more than the taps on each side
 * @returns how many on each side count
 */
export function blurWeights(sigma: number, most: number, into: Int16Array): number {
  const weight = (k: number): number => Math.exp(-((k / sigma) ** 2) / 2);
  let sum = 1;
  let reach = 0;
  for (; reach < most && weight(reach + 1) >= LEAST * sum; reach++) sum += 2 * weight(reach + 1);
  into.fill(0);
  let middle = 2 ** BITS;
  for (let k = 1; k <= reach; k++) {
    into[1 + k] = Math.round((weight(k) / sum) * 2 ** BITS);
    middle -= 2 * into[1 + k]!; // so that all add up to 1: what is even stays as it was
  }
  into[0] = middle;
  return reach;
}

// 16-bit numbers of two vectors side by side: the lower four of each, then the upper four
const lower = [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23];
const upper = lower.map((lane) => lane + 8);

/** Adds to `low` and `high` eight products of 16-bit numbers: of `a` with the first weight at an address, and of `b` with the second. */
const weigh = (low: number, high: number, a: Code, b: Code, weights: Code): Code => [
  set(low, addVectors(get(low), dot(shuffle(a, b, lower), loadSplat(weights)))),
  set(high, addVectors(get(high), dot(shuffle(a, b, upper), loadSplat(weights)))),
];

/** Both sums, rounded to `bits` less. */
const rounded = (low: number, high: number, bits: number): Code =>
  narrow32(shiftRight(get(low), constant(bits)), shiftRight(get(high), constant(bits)));
const half = (bits: number): Code => splat(constant(1 << (bits - 1)));

/**
 * Down columns, from bytes to 16-bit numbers: for each of `height` rows of `length` values. `rows` points into a list of where rows begin,
 * the mirrored ones before and after included; `weights` holds that of the middle and 0, then `pairs` pairs outwards.
 *
 * Eight values at a time, and the next row takes back what is too much.
 */
const down = ((): Kernel => {
  const parameters = ['rows', 'length', 'to', 'pitch', 'height', 'weights', 'pairs'] as const;
  const at = locals(...parameters, 'x', 'left', 'above', 'below', 'weight', 'middle', 'a', 'b', 'low', 'high');
  const row = (place: Code): Code => loadBytesAsShorts(add(load(place), get(at.x)));
  const both = (away: number): Code =>
    addShorts(row(subtractOne(get(at.above), constant(away))), row(add(get(at.below), constant(away))));
  return {
    name: 'down',
    parameters: parameters.length,
    integers: 5,
    vectors: 5,
    body: [
      repeatWhile(
        get(at.height),
        set(at.x, constant(0)),
        repeatWhile(
          lessThan(get(at.x), get(at.length)),
          set(at.above, get(at.rows)),
          set(at.below, get(at.rows)),
          set(at.weight, get(at.weights)),
          set(at.left, get(at.pairs)),
          set(at.middle, row(get(at.rows))),
          set(at.low, half(DOWN)),
          set(at.high, half(DOWN)),
          weigh(at.low, at.high, get(at.middle), zeros, get(at.weight)),
          repeatWhile(
            get(at.left),
            set(at.a, both(4)),
            set(at.b, both(8)),
            step(at.weight, constant(4)),
            weigh(at.low, at.high, get(at.a), get(at.b), get(at.weight)),
            step(at.above, constant(-8)),
            step(at.below, constant(8)),
            step(at.left, constant(-1)),
          ),
          storeVector(add(get(at.to), add(get(at.x), get(at.x))), rounded(at.low, at.high, DOWN)),
          step(at.x, constant(8)),
        ),
        step(at.to, get(at.pitch)),
        step(at.rows, constant(4)),
        step(at.height, constant(-1)),
      ),
    ],
  };
})();

/**
 * Along rows, from 16-bit numbers to bytes: for each of `height` rows of `length` values, `stride` bytes from pixel to pixel, `pitch`
 * from row to row. `reach` bytes of mirrored pixels are written on both sides of a row first; there must be room for those of all pairs.
 */
const along = ((): Kernel => {
  const parameters = ['from', 'pitch', 'to', 'length', 'height', 'stride', 'reach', 'weights', 'pairs'] as const;
  const integers = ['x', 'left', 'near', 'far', 'weight', 'last', 'c', 'k'] as const;
  const at = locals(...parameters, ...integers, 'middle', 'a', 'b', 'low', 'high');
  const both = (): Code => addShorts(loadVector(get(at.near)), loadVector(get(at.far)));
  const apart = [step(at.near, subtractOne(constant(0), get(at.stride))), step(at.far, get(at.stride))];
  const copy = (to: Code, from: Code): Code => storeShort(to, loadShort(from, 0), 0);
  return {
    name: 'along',
    parameters: parameters.length,
    integers: integers.length,
    vectors: 5,
    body: [
      repeatWhile(
        get(at.height),
        set(at.c, constant(0)),
        repeatWhile(
          lessThan(get(at.c), get(at.stride)),
          set(at.near, add(get(at.from), get(at.c))),
          set(at.last, add(get(at.near), subtractOne(add(get(at.length), get(at.length)), get(at.stride)))),
          set(at.k, get(at.stride)),
          repeatWhile(
            lessThan(get(at.k), add(get(at.reach), constant(1))),
            copy(subtractOne(get(at.near), get(at.k)), add(get(at.near), get(at.k))),
            copy(add(get(at.last), get(at.k)), subtractOne(get(at.last), get(at.k))),
            step(at.k, get(at.stride)),
          ),
          step(at.c, constant(2)),
        ),
        set(at.x, constant(0)),
        repeatWhile(
          lessThan(get(at.x), get(at.length)),
          set(at.near, add(get(at.from), add(get(at.x), get(at.x)))),
          set(at.far, get(at.near)),
          set(at.weight, get(at.weights)),
          set(at.left, get(at.pairs)),
          set(at.middle, loadVector(get(at.near))),
          set(at.low, half(ALONG)),
          set(at.high, half(ALONG)),
          weigh(at.low, at.high, get(at.middle), zeros, get(at.weight)),
          repeatWhile(
            get(at.left),
            apart,
            set(at.a, both()),
            apart,
            set(at.b, both()),
            step(at.weight, constant(4)),
            weigh(at.low, at.high, get(at.a), get(at.b), get(at.weight)),
            step(at.left, constant(-1)),
          ),
          set(at.low, rounded(at.low, at.high, ALONG)),
          storeHalf(add(get(at.to), get(at.x)), narrow16(get(at.low), get(at.low))),
          step(at.x, constant(8)),
        ),
        step(at.from, get(at.pitch)),
        step(at.to, get(at.length)),
        step(at.height, constant(-1)),
      ),
    ],
  };
})();

/** Both passes of a blur. */
export const blurModule = (): Uint8Array<ArrayBuffer> => assemble([down, along]);
