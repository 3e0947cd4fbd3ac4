import { WeirError } from '../../../flow/errors.js';
import { imageShape } from './image-shape.js';
import type { OpDefinition } from './op-op.js';

export interface RandomCrop {
  readonly op: 'randomCrop';
  /** Pixels of zeros on each side, of which as many fall away again. */
  readonly padding: number;
}

/** Pads an image with zeros and cuts its own size out again at a random place. */
export const randomCrop = (options: Omit<RandomCrop, 'op'>): RandomCrop => ({ op: 'randomCrop', ...options });

export const randomCropDefinition: OpDefinition<RandomCrop> = {
  kind: 'moving',
  prepare({ padding }, shape) {
    const [height, width, channels] = imageShape('randomCrop', shape);
    if (!Number.isInteger(padding) || padding < 0 || padding > Math.min(height, width)) {
      throw new WeirError(
        `op 'randomCrop' has padding ${padding}`,
        `give a whole number of pixels, at most ${Math.min(height, width)}`,
      );
    }
    const row = width * channels;
    let original: Uint8Array | Float32Array | undefined; // of the values' kind: an op prepared for one meets no other
    return (values, random) => {
      const numbers = random();
      const down = numbers.integer(2 * padding + 1) - padding;
      const across = numbers.integer(2 * padding + 1) - padding;
      original ??= values.slice();
      original.set(values);
      values.fill(0);
      const from = Math.max(0, across) * channels;
      const length = row - Math.abs(across) * channels;
      const to = Math.max(0, -across) * channels;
      for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
        const start = (y + down) * row + from;
        values.set(original.subarray(start, start + length), y * row + to);
      }
    };
  },
};
