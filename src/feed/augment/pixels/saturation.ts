import { grey } from './grey.js';

const own = new Float64Array(256);
const other = new Float64Array(256);

/** Blends an image of red, green and blue with its grey g: ⌊factor · x + (1 − factor) · g⌋, cut to 0 to 255. */
export function adjustSaturation(values: Uint8Array, length: number, factor: number): void {
  const f = Math.fround(factor);
  const rest = Math.fround(1 - factor);
  for (let x = 0; x < 256; x++) {
    own[x] = Math.fround(f * x);
    other[x] = rest * x;
  }
  for (let i = 0; i < length; i += 3) {
    const r = values[i]!;
    const g = values[i + 1]!;
    const b = values[i + 2]!;
    const level = other[grey(r, g, b)]!;
    values[i] = cut(Math.fround(own[r]! + level));
    values[i + 1] = cut(Math.fround(own[g]! + level));
    values[i + 2] = cut(Math.fround(own[b]! + level));
  }
}

/** Rounded down, and between 0 and 255. */
const cut = (value: number): number => {
  const whole = value | 0;
  const atLeast0 = whole & ~(whole >> 31);
  return atLeast0 | ((255 - atLeast0) >> 31);
};
