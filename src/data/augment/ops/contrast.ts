import { lookUp } from '../kernels/pixels-look-up.js';
import { meanGray } from './mean-gray.js';
import { SLACK } from './slack.js';

const contrastTable = new Uint8Array(256);

/** Blends an image with its mean gray m: ⌊factor · x + (1 − factor) · m⌋, cut to 0 to 255. */
export function adjustContrast(values: Uint8Array, length: number, channels: 1 | 3, factor: number): void {
  const f = Math.fround(factor);
  const rest = Math.fround(1 - factor) * meanGray(values, length, channels) + SLACK;
  for (let x = 0; x < 256; x++) contrastTable[x] = Math.max(0, Math.min(255, f * x + rest));
  lookUp(values, length, contrastTable);
}
