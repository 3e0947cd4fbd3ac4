import { grey } from './grey.js';
import { SLACK } from './slack.js';

const own = new Float64Array(256);
const other = new Float64Array(256);

/** Blends an image of red, green and blue with its grey g: ⌊factor · x + (1 − factor) · g⌋, cut to 0 to 255. */
export function adjustSaturation(values: Uint8Array, length: number, factor: number): void {
  const greyOf = grey; // an import is looked up at every use
  const f = Math.fround(factor);
  const rest = Math.fround(1 - factor);
  for (let x = 0; x < 256; x++) {
    own[x] = Math.fround(f * x) + SLACK;
    other[x] = rest * x;
  }
  for (let i = 0; i < length; i += 3) {
    const r = values[i]!;
    const g = values[i + 1]!;
    const b = values[i + 2]!;
    const level = other[greyOf(r, g, b)]!;
    values[i] = cut((own[r]! + level) | 0);
    values[i + 1] = cut((own[g]! + level) | 0);
    values[i + 2] = cut((own[b]! + level) | 0);
  }
}

/** Between 0 and 255. */
const cut = (level: number): number => {
  const atLeast0 = level & ~(level >> 31);
  return atLeast0 | ((255 - atLeast0) >> 31);
};
