import { SPARE, starter } from '../kernels/instance.js';
import { AT_ONCE, mirrorModule } from '../kernels/mirror.js';
import { checkProbability, imageShape, type OpDefinition } from './op.js';

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

export interface HorizontalFlip {
  readonly op: 'horizontalFlip';
  readonly probability: number;
}

/** Mirrors an image left to right, by chance. */
export const horizontalFlip = ({ probability = 0.5 }: { probability?: number } = {}): HorizontalFlip => ({
  op: 'horizontalFlip',
  probability,
});

export const horizontalFlipDefinition: OpDefinition<HorizontalFlip> = {
  kind: 'moving',
  prepare({ probability }, shape) {
    const [height, width, channels] = imageShape('horizontalFlip', shape);
    checkProbability('horizontalFlip', probability);
    return (values, random) => {
      if (random().uniform() >= probability) return;
      const colors = values instanceof Uint8Array && channels === 3;
      if (!colors || !mirrorByVectors(values, height, width)) swapPixels(values, height, width, channels);
    };
  },
};

/** Mirrors values of any kind, pixel by pixel. */
export function swapPixels(values: Uint8Array | Float32Array, height: number, width: number, channels: number): void {
  for (let y = 0; y < height; y++) {
    let left = y * width * channels;
    let right = left + (width - 1) * channels;
    for (; left < right; left += channels, right -= channels) {
      for (let c = 0; c < channels; c++) {
        const value = values[left + c]!;
        values[left + c] = values[right + c]!;
        values[right + c] = value;
      }
    }
  }
}
