import { gray } from '../kernels/gray.js';
import { blendByVectors } from './gray.js';

/** Blends an image of red, green and blue with its gray g: ⌊factor · x + (1 − factor) · g⌋, cut to 0 to 255. */
export function adjustSaturation(values: Uint8Array, length: number, factor: number): void {
  const f = Math.fround(factor);
  const rest = Math.fround(1 - factor);
  if (!blendByVectors(values, length, f, rest)) blendPixels(values, length, f, rest);
}

/** The same pixel by pixel, each step in float32 as in torchvision. */
export function blendPixels(values: Uint8Array, length: number, factor: number, rest: number): void {
  for (let i = 0; i < length; i += 3) {
    const level = Math.fround(rest * gray(values[i]!, values[i + 1]!, values[i + 2]!));
    for (let c = i; c < i + 3; c++) {
      values[c] = Math.max(0, Math.min(255, Math.fround(Math.fround(factor * values[c]!) + level)));
    }
  }
}
