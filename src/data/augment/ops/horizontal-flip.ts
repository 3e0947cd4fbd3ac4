import { kernelsForOp, SPARE } from '../kernels/instance.js';
import { checkProbability, imageShape, op } from './op.js';

const kernels = kernelsForOp();

/**
 * `swapPixels` of red, green and blue in vectors of WebAssembly.
 *
 * @returns false, with nothing done, where there are no vectors
 */
export function mirrorByVectors(values: Uint8Array, height: number, width: number): boolean {
  const found = kernels();
  const row = 3 * width;
  found?.memory.through(SPARE, values, height * row, (to) => found.mirrorRows(SPARE, to, row, height));
  return found !== null;
}

/** Mirrors an image left to right, by chance. */
export const horizontalFlip = op(
  'horizontalFlip',
  { probability: 'optional' },
  ({ probability = 0.5 }: { probability?: number } = {}) => ({ probability }),
  {
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
  },
);

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
