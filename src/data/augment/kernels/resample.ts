import {
  add,
  addVectors,
  assemble,
  type Code,
  constant,
  dot,
  extendHigh,
  extendLow,
  get,
  type Kernel,
  lessThan,
  load,
  loadHalf,
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
  storeFourBytes,
  storeVector,
  times,
  zeros,
} from './assembler.js';

/** A pixel's colors beside its neighbor's, each widened to 16 bits by a zero. */
export const sideBySide = [0, 16, 3, 16, 1, 16, 4, 16, 2, 16, 5, 16, 16, 16, 16, 16];

/** Pixels that are made at once. */
export const AT_ONCE = 4;

/**
 * `across` of `kernels` where one pair of taps makes a pixel, as in every enlargement: for each of `height` rows, `fours` times four
 * pixels; `length` bytes a row. There must be as many places, and what is too much of a row the next one takes back.
 */
export const enlarge = ((): Kernel => {
  const parameters = ['from', 'pitch', 'to', 'length', 'height', 'fours', 'first', 'weights', 'half', 'bits'] as const;
  const at = locals(...parameters, 'left', 'place', 'weight', 'target', 'halves', 'a', 'b');
  const pixel = (i: number): Code => {
    const tap = add(get(at.from), times(load(get(at.place), 4 * i), constant(3)));
    const sum = dot(shuffle(loadHalf(tap), zeros, sideBySide), loadSplat(get(at.weight), 4 * i));
    return shiftRight(addVectors(get(at.halves), sum), get(at.bits));
  };
  const colors = [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 16, 16, 16];
  return {
    name: 'enlarge',
    parameters: parameters.length,
    integers: 4,
    vectors: 3,
    body: [
      set(at.halves, splat(get(at.half))),
      repeatWhile(
        get(at.height),
        set(at.left, get(at.fours)),
        set(at.place, get(at.first)),
        set(at.weight, get(at.weights)),
        set(at.target, get(at.to)),
        repeatWhile(
          get(at.left),
          set(at.a, narrow32(pixel(0), pixel(1))),
          set(at.b, narrow32(pixel(2), pixel(3))),
          storeVector(get(at.target), shuffle(narrow16(get(at.a), get(at.b)), zeros, colors)),
          step(at.target, constant(3 * AT_ONCE)),
          step(at.place, constant(4 * AT_ONCE)),
          step(at.weight, constant(4 * AT_ONCE)),
          step(at.left, constant(-1)),
        ),
        step(at.from, get(at.pitch)),
        step(at.to, get(at.length)),
        step(at.height, constant(-1)),
      ),
    ],
  };
})();

/**
 * Across: for each of `height` rows, each of `width` pixels of red, green and blue from `pairs` pairs of taps. `first` holds, a place,
 * its first tap; `weights` the pairs of 16-bit weights of each place.
 *
 * Eight bytes are read at a time and four written, of which the next pixel takes the last back: memory must go on after the last.
 */
const across = ((): Kernel => {
  const parameters = ['from', 'pitch', 'to', 'height', 'width', 'first', 'weights', 'pairs', 'half', 'bits'] as const;
  const at = locals(...parameters, 'x', 'place', 'weight', 'tap', 'left', 'sum');
  return {
    name: 'across',
    parameters: parameters.length,
    integers: 5,
    vectors: 1,
    body: [
      repeatWhile(
        get(at.height),
        set(at.x, get(at.width)),
        set(at.place, get(at.first)),
        set(at.weight, get(at.weights)),
        repeatWhile(
          get(at.x),
          set(at.tap, add(get(at.from), times(load(get(at.place)), constant(3)))),
          set(at.left, get(at.pairs)),
          set(at.sum, splat(get(at.half))),
          repeatWhile(
            get(at.left),
            set(
              at.sum,
              addVectors(
                get(at.sum),
                dot(shuffle(loadHalf(get(at.tap)), zeros, sideBySide), loadSplat(get(at.weight))),
              ),
            ),
            step(at.tap, constant(6)),
            step(at.weight, constant(4)),
            step(at.left, constant(-1)),
          ),
          set(at.sum, shiftRight(get(at.sum), get(at.bits))),
          set(at.sum, narrow32(get(at.sum), get(at.sum))),
          storeFourBytes(get(at.to), narrow16(get(at.sum), get(at.sum))),
          step(at.to, constant(3)),
          step(at.place, constant(4)),
          step(at.x, constant(-1)),
        ),
        step(at.from, get(at.pitch)),
        step(at.height, constant(-1)),
      ),
    ],
  };
})();

/**
 * Down: for each of `height` rows of `length` bytes, from `pairs` pairs of rows of the same length. `first` holds, a row, which is
 * its first.
 *
 * Sixteen bytes are read and written at a time, and the next row takes back what is too much: memory must go on after the last.
 */
const down = ((): Kernel => {
  const parameters = ['from', 'length', 'to', 'height', 'first', 'weights', 'pairs', 'half', 'bits'] as const;
  const vectors = ['a', 'b', 'pair', 's0', 's1', 's2', 's3'] as const;
  const at = locals(...parameters, 'i', 'tap', 'weight', 'left', ...vectors);
  // 16-bit numbers of two rows side by side: the lower four of each, then the upper four
  const lower = [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23];
  const upper = lower.map((lane) => lane + 8);
  const sum = (into: number, extend: (a: Code) => Code, lanes: readonly number[]): Code =>
    set(into, addVectors(get(into), dot(shuffle(extend(get(at.a)), extend(get(at.b)), lanes), get(at.pair))));
  const shifted = (local: number): Code => shiftRight(get(local), get(at.bits));
  const sums = [at.s0, at.s1, at.s2, at.s3];
  return {
    name: 'down',
    parameters: parameters.length,
    integers: 4,
    vectors: vectors.length,
    body: [
      repeatWhile(
        get(at.height),
        set(at.i, constant(0)),
        repeatWhile(
          lessThan(get(at.i), get(at.length)),
          set(at.tap, add(add(get(at.from), times(load(get(at.first)), get(at.length))), get(at.i))),
          set(at.weight, get(at.weights)),
          set(at.left, get(at.pairs)),
          sums.map((local) => set(local, splat(get(at.half)))),
          repeatWhile(
            get(at.left),
            set(at.a, loadVector(get(at.tap))),
            set(at.b, loadVector(add(get(at.tap), get(at.length)))),
            set(at.pair, loadSplat(get(at.weight))),
            sum(at.s0, extendLow, lower),
            sum(at.s1, extendLow, upper),
            sum(at.s2, extendHigh, lower),
            sum(at.s3, extendHigh, upper),
            step(at.tap, times(get(at.length), constant(2))),
            step(at.weight, constant(4)),
            step(at.left, constant(-1)),
          ),
          storeVector(
            add(get(at.to), get(at.i)),
            narrow16(narrow32(shifted(at.s0), shifted(at.s1)), narrow32(shifted(at.s2), shifted(at.s3))),
          ),
          step(at.i, constant(16)),
        ),
        step(at.to, get(at.length)),
        step(at.first, constant(4)),
        step(at.weights, times(get(at.pairs), constant(4))),
        step(at.height, constant(-1)),
      ),
    ],
  };
})();

/** Both passes of a resampling, the first in two forms. */
export const resamplingModule = (): Uint8Array<ArrayBuffer> => assemble([across, enlarge, down]);
