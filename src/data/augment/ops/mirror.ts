import { AT_ONCE, mirrorModule } from '../kernels/mirror.js';
import { SPARE } from '../kernels/room.js';
import { starter } from '../kernels/start.js';

interface Kernels {
  readonly mirror: (from: number, to: number, length: number, height: number, fives: number) => void;
}

const started = starter<Kernels>(mirrorModule);

/**
 * Mirrors an image of red, green and blue left to right.
 *
 * @returns whether it was done
 */
export function mirrorByVectors(values: Uint8Array, height: number, width: number): boolean {
  const found = started();
  if (found === null) return false;
  const { room, mirror } = found;
  const row = 3 * width;
  room.through(SPARE, values, height * row, (to) => mirror(SPARE, to, row, height, Math.ceil(width / AT_ONCE)));
  return true;
}
