import { lookUp } from '../kernels/pixels-look-up.js';

const table = new Uint8Array(256);

/** Inverts every byte from a threshold on: 255 − x. */
export function solarizePixels(values: Uint8Array, length: number, threshold: number): void {
  for (let x = 0; x < 256; x++) table[x] = x >= threshold ? 255 - x : x;
  lookUp(values, length, table);
}
