import { lookUp } from '../kernels/pixels-look-up.js';
import { SLACK } from './slack.js';

const brightnessTable = new Uint8Array(256);

/** Multiplies every byte by a factor: ⌊min(factor · x, 255)⌋. */
export function adjustBrightness(values: Uint8Array, length: number, factor: number): void {
  const f = Math.fround(factor);
  for (let x = 0; x < 256; x++) brightnessTable[x] = Math.min(255, f * x + SLACK);
  lookUp(values, length, brightnessTable);
}
