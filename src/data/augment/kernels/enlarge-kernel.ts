import {
  add,
  addVectors,
  type Code,
  constant,
  dot,
  get,
  type Kernel,
  load,
  loadHalf,
  loadSplat,
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
