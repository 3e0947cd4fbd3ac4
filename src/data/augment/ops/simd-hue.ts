import { hueModule } from '../kernels/hue-kernel.js';
import { starter } from '../kernels/start.js';

interface HueKernels {
  readonly turn: (from: number, to: number, fours: number, shift: number) => void;
}

const hueKernels = starter<HueKernels>(hueModule);

/**
 * `turnPixels` in vectors of WebAssembly, to the bit the same.
 *
 * @returns whether it was done
 */
export function turnByVectors(values: Uint8Array, length: number, shift: number): boolean {
  if (length === 0) return true;
  const found = hueKernels();
  if (found === null) return false;
  const { room, turn } = found;
  room.through(0, values, length, (to) => turn(0, to, Math.ceil(length / 12), shift));
  return true;
}
