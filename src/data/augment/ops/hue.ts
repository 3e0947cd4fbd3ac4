import { turnByVectors } from './simd-hue.js';

/** Bits after the point. */
const HUE_BITS = 16;

/** Turns the hue of an image of red, green and blue by `turn` of the circle, −0.5 to 0.5: value and saturation stay. */
export function adjustHue(values: Uint8Array, length: number, turn: number): void {
  const shift = Math.round(6 * turn * 2 ** HUE_BITS) | 0;
  if (!turnByVectors(values, length, shift)) turnPixels(values, length, shift);
}

/**
 * The same pixel by pixel.
 *
 * With d = max − min of a pixel, hue · 6d is a sum of differences of its channels, and each new channel is min plus a part of d
 * that is linear in it between cuts: so no division is needed, and with masks no branch.
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
