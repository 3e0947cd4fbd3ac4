import { imageShape } from './image-shape.js';
import { mirrorByVectors } from './mirror.js';
import type { OpDefinition } from './op-op.js';
import { checkProbability } from './options.js';

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
