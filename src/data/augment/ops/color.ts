import { WeirError } from '../../../flow/errors.js';
import type { Random } from '../../../flow/random.js';
import { BLUE, GRAY_BITS, GREEN, HUE_BITS, RED } from '../kernels/assembly/constants.js';
import { kernelsForOp, SPARE } from '../kernels/instance.js';
import { lookUp } from '../kernels/look-up.js';
import { checkProbability, checkRange, colorShape, op, type Range } from './op.js';

/** Added before rounding down, for torchvision multiplies in float32: products just below a whole number round up to it there. */
const SLACK = 2 ** -18;

const brightnessTable = new Uint8Array(256);

/** Multiplies every byte by a factor: ⌊min(factor · x, 255)⌋. */
export function adjustBrightness(values: Uint8Array, length: number, factor: number): void {
  const f = Math.fround(factor);
  for (let x = 0; x < 256; x++) brightnessTable[x] = Math.min(255, f * x + SLACK);
  lookUp(values, length, brightnessTable);
}

const kernels = kernelsForOp();

/** The gray of a pixel, rounded down. */
const gray = (r: number, g: number, b: number): number => (r * RED + g * GREEN + b * BLUE) >> GRAY_BITS;

/**
 * `blendPixels` in vectors of WebAssembly, to the bit the same.
 *
 * @returns false, with nothing done, where there are no vectors
 */
export function blendByVectors(values: Uint8Array, length: number, factor: number, rest: number): boolean {
  const found = kernels();
  found?.memory.through(0, values, length, (to) => found.blendGray(0, to, length, factor, rest));
  return found !== null;
}

/** Where pixels begin, behind four sums. */
const PIXELS = 16;

/** `sumOfGray` in vectors of WebAssembly; undefined where there are none. */
export function sumByVectors(values: Uint8Array, length: number): number | undefined {
  const found = kernels();
  if (found === null) return undefined;
  const bytes = found.memory.whole(PIXELS + length + SPARE);
  bytes.set(values.length === length ? values : values.subarray(0, length), PIXELS);
  bytes.fill(0, PIXELS + length, PIXELS + length + 12);
  found.sumGray(PIXELS, 0, length);
  const sums = new Uint32Array(bytes.buffer, 0, 4);
  return sums[0]! + sums[1]! + sums[2]! + sums[3]!;
}

/** The mean gray of an image of 1 or 3 channels. */
function meanGray(values: Uint8Array, length: number, channels: 1 | 3): number {
  const sum = channels === 1 ? sumOf(values, length) : (sumByVectors(values, length) ?? sumOfGray(values, length));
  return (sum * channels) / length;
}

function sumOf(values: Uint8Array, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += values[i]!;
  return sum;
}

/** The sum of the gray of all pixels of red, green and blue. */
export function sumOfGray(values: Uint8Array, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i += 3) sum += gray(values[i]!, values[i + 1]!, values[i + 2]!);
  return sum;
}

const contrastTable = new Uint8Array(256);

/** Blends an image with its mean gray m: ⌊factor · x + (1 − factor) · m⌋, cut to 0 to 255. */
export function adjustContrast(values: Uint8Array, length: number, channels: 1 | 3, factor: number): void {
  const f = Math.fround(factor);
  const rest = Math.fround(1 - factor) * meanGray(values, length, channels) + SLACK;
  for (let x = 0; x < 256; x++) contrastTable[x] = Math.max(0, Math.min(255, f * x + rest));
  lookUp(values, length, contrastTable);
}

/**
 * `turnPixels` in vectors of WebAssembly, to the bit the same.
 *
 * @returns false, with nothing done, where there are no vectors
 */
export function turnByVectors(values: Uint8Array, length: number, shift: number): boolean {
  const found = kernels();
  found?.memory.through(0, values, length, (to) => found.turnHue(0, to, length, shift));
  return found !== null;
}

/** Turns the hue of an image of red, green and blue by `turn` of the circle, −0.5 to 0.5: value and saturation stay. */
export function adjustHue(values: Uint8Array, length: number, fraction: number): void {
  const shift = Math.round(6 * fraction * 2 ** HUE_BITS) | 0;
  if (!turnByVectors(values, length, shift)) turnPixels(values, length, shift);
}

/**
 * Turns the hue of red, green and blue pixel by pixel.
 *
 * With d = max − min of a pixel, hue · 6d is a sum of differences of its channels. Each new channel is min plus a part of d that is
 * linear in the hue, cut to 0 and d. So no division is needed, and with masks no branch.
 *
 * @param shift sixths of the circle, times 2¹⁶
 */
export function turnPixels(values: Uint8Array, length: number, shift: number): void {
  for (let i = 0; i < length; i += 3) {
    const r = values[i]!;
    const g = values[i + 1]!;
    const b = values[i + 2]!;
    const gOverR = (r - g) >> 31; // −1 where g > r
    const larger = r ^ ((r ^ g) & gOverR);
    const smaller = g ^ ((r ^ g) & gOverR);
    const bOver = (larger - b) >> 31;
    const bUnder = (b - smaller) >> 31;
    const max = larger ^ ((larger ^ b) & bOver);
    const min = smaller ^ ((smaller ^ b) & bUnder);
    const d = max - min;
    const notR = (r - max) >> 31;
    const isB = notR & ((g - max) >> 31);
    const isG = notR & ~isB;
    const sixths = ((g - b) & ~notR) + ((b - r + 2 * d) & isG) + ((r - g + 4 * d) & isB);

    const D = d << HUE_BITS;
    let hue = (sixths << HUE_BITS) + Math.imul(d, shift); // times d: −4 to 8, then 0 to 6
    hue += (6 * D) & (hue >> 31);
    hue -= 6 * D;
    hue += (6 * D) & (hue >> 31);
    const low = min << HUE_BITS;
    values[i] = level(low + cut(distance(hue - 3 * D) - D, D));
    values[i + 1] = level(low + cut(2 * D - distance(hue - 2 * D), D));
    values[i + 2] = level(low + cut(2 * D - distance(hue - 4 * D), D));
  }
}

const distance = (x: number): number => (x ^ (x >> 31)) - (x >> 31);

/** Between 0 and D. */
const cut = (x: number, D: number): number => {
  const atLeast0 = x & ~(x >> 31);
  const over = atLeast0 - D;
  return D + (over & (over >> 31));
};

/** A level with its fraction back to a byte, as torchvision takes [0, 1] to bytes: ⌊255.999 · x⌋. */
const level = (x: number): number => (x + (x >> 8)) >> HUE_BITS;

/** Blends an image of red, green and blue with its gray g: ⌊factor · x + (1 − factor) · g⌋, cut to 0 to 255. */
export function adjustSaturation(values: Uint8Array, length: number, factor: number): void {
  const f = Math.fround(factor);
  const rest = Math.fround(1 - factor);
  if (!blendByVectors(values, length, f, rest)) blendPixels(values, length, f, rest);
}

/** Blends red, green and blue with their gray, pixel by pixel, each step in float32 as in torchvision. */
export function blendPixels(values: Uint8Array, length: number, factor: number, rest: number): void {
  for (let i = 0; i < length; i += 3) {
    const level = Math.fround(rest * gray(values[i]!, values[i + 1]!, values[i + 2]!));
    for (let c = i; c < i + 3; c++) {
      values[c] = Math.max(0, Math.min(255, Math.fround(Math.fround(factor * values[c]!) + level)));
    }
  }
}

/** The four, in the order of torchvision's numbers for them. */
const adjustments = ['brightness', 'contrast', 'saturation', 'hue'] as const;

/** One number j is the range 1 − j to 1 + j (not below 0) of a factor, and of hue −j to j of the circle. */
export type JitterStrengths = { readonly [Name in (typeof adjustments)[number]]?: number | Range };

export interface ColorJitterOptions extends JitterStrengths {
  readonly probability?: number;
}

/** The random numbers of one sample: the order of the four `adjustments`, and the factor of each. */
export interface Jitter {
  readonly order: Uint8Array;
  readonly factors: Float64Array;
}

/**
 * Changes brightness, contrast, saturation and hue by random factors, in an order drawn for each sample. An option that is left out
 * changes nothing. By chance where a `probability` is given.
 */
export const colorJitter = op(
  'colorJitter',
  { brightness: 'optional', contrast: 'optional', saturation: 'optional', hue: 'optional', probability: 'optional' },
  ({ probability = 1, ...strengths }: ColorJitterOptions) => ({ ...strengths, probability }),
  {
    kind: 'pixels',
    prepare(jitter, shape) {
      const [height, width, channels] = colorShape('colorJitter', shape);
      const ranges = rangesOf(jitter);
      const length = height * width * channels;
      const drawn: Jitter = { order: new Uint8Array(4), factors: new Float64Array(4) };
      return (values, random) => {
        const numbers = random();
        if (numbers.uniform() >= jitter.probability) return;
        drawJitter(ranges, numbers, drawn);
        for (let i = 0; i < 4; i++) {
          const which = drawn.order[i]!;
          if (ranges[which] === undefined) continue;
          const factor = drawn.factors[which]!;
          if (which === 0) adjustBrightness(values, length, factor);
          else if (which === 1) adjustContrast(values, length, channels, factor);
          else if (channels === 1) continue;
          else if (which === 2) adjustSaturation(values, length, factor);
          else adjustHue(values, length, factor);
        }
      };
    },
  },
);

/** The checked ranges of the four factors; undefined for one that is left out or changes nothing. */
export function rangesOf(jitter: ColorJitterOptions & { readonly probability: number }): (Range | undefined)[] {
  checkProbability('colorJitter', jitter.probability);
  return adjustments.map((name) => {
    const given = jitter[name];
    if (given === undefined) return undefined;
    const [middle, least, most] = name === 'hue' ? [0, -0.5, 0.5] : [1, 0, Infinity];
    if (typeof given === 'number' && !(given >= 0)) {
      throw new WeirError(
        `op 'colorJitter' has ${name} ${given}`,
        'give a number of 0 or more, or a range [least, most]',
      );
    }
    const range: Range =
      typeof given !== 'number' ? given : [name === 'hue' ? -given : Math.max(0, middle - given), middle + given];
    const remedy =
      name === 'hue'
        ? 'give a number from 0 to 0.5, or a range [least, most] inside of [-0.5, 0.5]'
        : 'give a number of 0 or more, or a range [least, most] of factors of 0 or more';
    checkRange('colorJitter', name, range, least, most, remedy);
    return range[0] === middle && range[1] === middle ? undefined : range;
  });
}

/** Draws an order of the four, each of the 24 equally likely, and a factor for each, uniform in its range. */
export function drawJitter(ranges: readonly (Range | undefined)[], random: Random, into: Jitter): void {
  const { order, factors } = into;
  for (let i = 0; i < 4; i++) order[i] = i;
  for (let i = 3; i > 0; i--) {
    const j = random.integer(i + 1);
    const last = order[i]!;
    order[i] = order[j]!;
    order[j] = last;
  }
  for (let i = 0; i < 4; i++) {
    const range = ranges[i];
    const u = random.uniform();
    factors[i] = range === undefined ? 0 : range[0] + (range[1] - range[0]) * u;
  }
}

/** Replaces red, green and blue of each pixel by its gray. */
export const toGray = (values: Uint8Array, length: number): void => adjustSaturation(values, length, 0);

/** Makes an image gray, in all of its channels, by chance. */
export const randomGrayscale = op(
  'randomGrayscale',
  { probability: 'optional' },
  ({ probability = 0.1 }: { probability?: number } = {}) => ({ probability }),
  {
    kind: 'pixels',
    prepare({ op, probability }, shape) {
      const [height, width, channels] = colorShape(op, shape);
      checkProbability(op, probability);
      return (values, random) => {
        if (random().uniform() < probability && channels === 3) toGray(values, height * width * channels);
      };
    },
  },
);
