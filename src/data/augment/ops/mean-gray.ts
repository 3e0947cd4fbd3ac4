import { gray } from '../kernels/gray.js';
import { sumByVectors } from './gray.js';

/** The mean gray of an image of 1 or 3 channels. */
export function meanGray(values: Uint8Array, length: number, channels: 1 | 3): number {
  const sum = channels === 1 ? sumOf(values, length) : (sumByVectors(values, length) ?? sumOfGray(values, length));
  return (sum * channels) / length;
}

function sumOf(values: Uint8Array, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += values[i]!;
  return sum;
}

/** Of red, green and blue. */
export function sumOfGray(values: Uint8Array, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i += 3) sum += gray(values[i]!, values[i + 1]!, values[i + 2]!);
  return sum;
}
