import {
  absolute,
  add,
  addFloats,
  addVectors,
  and,
  andNot,
  assemble,
  type Code,
  constant,
  get,
  isLess,
  type Kernel,
  larger,
  loadSplat,
  loadVector,
  locals,
  narrow16,
  narrow32,
  repeatWhile,
  set,
  shiftLeft,
  shiftRight,
  shuffle,
  smaller,
  splat,
  step,
  storeVector,
  subtract,
  timesFloats,
  timesVectors,
  toFloats,
  toIntegers,
  zeros,
} from './assembler.js';

/** What red, green and blue weigh in gray (0.2989, 0.587, 0.114, as in torchvision), with so many bits after the point. */
export const WEIGHT_BITS = 20;
export const RED = Math.round(0.2989 * 2 ** WEIGHT_BITS);
export const GREEN = Math.round(0.587 * 2 ** WEIGHT_BITS);
export const BLUE = Math.round(0.114 * 2 ** WEIGHT_BITS);

/** The gray of a pixel, rounded down. */
export const gray = (r: number, g: number, b: number): number => (r * RED + g * GREEN + b * BLUE) >> WEIGHT_BITS;

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

const names = ['from', 'to', 'left', 'shift', 'bytes', 'r', 'g', 'b', 'min', 'max', 'd', 'notR', 'isB', 'D', 'D2', 'D6', 'hue'] as const; // biome-ignore format: one list
const hueAt = locals(...names);
const v = (name: (typeof names)[number]): Code => get(hueAt[name]);
const BITS = constant(16);

/** One color of the first four pixels, each widened to 32 bits by zeros. */
const hueColor = (c: number): Code =>
  shuffle(
    v('bytes'),
    zeros,
    Array.from({ length: 16 }, (_, i) => (i % 4 === 0 ? c + (3 * i) / 4 : 16)),
  );

/** Between 0 and D. */
const cut = (x: Code): Code => smaller(larger(x, zeros), v('D'));
/** From the smallest up, with 16 bits after the point, back to a byte: `level` of `hue.ts`. */
const level = (above: Code, scratch: 'r' | 'g' | 'b'): Code => [
  set(hueAt[scratch], addVectors(shiftLeft(v('min'), BITS), above)),
  set(hueAt[scratch], shiftRight(addVectors(v(scratch), shiftRight(v(scratch), constant(8))), BITS)),
];
const setHue = (hue: Code): Code => set(hueAt.hue, hue);
const circleIfBelow0: Code = and(v('D6'), shiftRight(v('hue'), constant(31)));

/**
 * `turnPixels` on four pixels of red, green and blue at a time: 16 bytes are read and written, of which the next four take the last four
 * back. Memory must go on after the last. What is read lies apart from what is written: a processor that read what it has just written in
 * two parts would wait for that, four pixels after four.
 */
const turn = {
  name: 'turn',
  parameters: 4,
  integers: 0,
  vectors: names.length - 4,
  body: [
    repeatWhile(
      v('left'),
      set(hueAt.bytes, loadVector(v('from'))),
      set(hueAt.r, hueColor(0)),
      set(hueAt.g, hueColor(1)),
      set(hueAt.b, hueColor(2)),
      set(hueAt.min, smaller(smaller(v('r'), v('g')), v('b'))),
      set(hueAt.max, larger(larger(v('r'), v('g')), v('b'))),
      set(hueAt.d, subtract(v('max'), v('min'))),
      set(hueAt.notR, isLess(v('r'), v('max'))),
      set(hueAt.isB, and(v('notR'), isLess(v('g'), v('max')))),
      set(hueAt.D, shiftLeft(v('d'), BITS)),
      set(hueAt.D2, shiftLeft(v('d'), constant(17))),
      set(hueAt.D6, addVectors(v('D2'), shiftLeft(v('d'), constant(18)))),
      // sixths of the circle, times d
      set(hueAt.hue, andNot(subtract(v('g'), v('b')), v('notR'))),
      set(
        hueAt.hue,
        addVectors(
          v('hue'),
          and(addVectors(subtract(v('b'), v('r')), shiftLeft(v('d'), constant(1))), andNot(v('notR'), v('isB'))),
        ),
      ),
      set(
        hueAt.hue,
        addVectors(v('hue'), and(addVectors(subtract(v('r'), v('g')), shiftLeft(v('d'), constant(2))), v('isB'))),
      ),
      setHue(addVectors(shiftLeft(v('hue'), BITS), timesVectors(v('d'), splat(v('shift'))))),
      setHue(addVectors(v('hue'), circleIfBelow0)),
      setHue(subtract(v('hue'), v('D6'))),
      setHue(addVectors(v('hue'), circleIfBelow0)),
      level(cut(subtract(absolute(subtract(v('hue'), addVectors(v('D2'), v('D')))), v('D'))), 'r'),
      level(cut(subtract(v('D2'), absolute(subtract(v('hue'), v('D2'))))), 'g'),
      level(cut(subtract(v('D2'), absolute(subtract(v('hue'), addVectors(v('D2'), v('D2')))))), 'b'),
      set(hueAt.r, shuffle(v('r'), v('g'), [0, 16, 0, 4, 20, 0, 8, 24, 0, 12, 28, 0, 0, 0, 0, 0])),
      set(hueAt.b, shuffle(v('b'), v('bytes'), [0, 0, 0, 0, 0, 4, 0, 0, 8, 0, 0, 12, 28, 29, 30, 31])),
      storeVector(v('to'), shuffle(v('r'), v('b'), [0, 1, 18, 3, 4, 21, 6, 7, 24, 9, 10, 27, 28, 29, 30, 31])),
      step(hueAt.from, constant(12)),
      step(hueAt.to, constant(12)),
      step(hueAt.left, constant(-1)),
    ),
  ],
};

export const hueModule = (): Uint8Array<ArrayBuffer> => assemble([turn]);
