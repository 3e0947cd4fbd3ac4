import { Canvas } from '../../images/augment-image.js';
import { imageShape } from './image-shape.js';
import type { OpDefinition } from './op-op.js';
import { bothExtents, checkSize, type Size } from './options.js';

export interface CenterCrop {
  readonly op: 'centerCrop';
  readonly size: Size;
}

/** Cuts the middle out of an image; zeros stand around one that is smaller. */
export const centerCrop = (options: Omit<CenterCrop, 'op'>): CenterCrop => ({ op: 'centerCrop', ...options });

export const centerCropDefinition: OpDefinition<CenterCrop> = {
  kind: 'resizing',
  prepare({ op, size }, shape) {
    const [, , channels] = imageShape(op, shape);
    checkSize(op, size);
    const [height, width] = bothExtents(size);
    const out = new Canvas(channels).resize(height, width);
    return {
      shape: [height, width, channels],
      apply(image) {
        const top = before(image.height, height);
        const left = before(image.width, width);
        const from = Math.max(0, left);
        const to = Math.max(0, -left);
        const length = Math.min(width, image.width) * channels;
        if (top < 0 || left < 0) out.values.fill(0);
        for (let y = Math.max(0, -top); y < Math.min(height, image.height - top); y++) {
          const start = ((y + top) * image.width + from) * channels;
          out.values.set(image.values.subarray(start, start + length), (y * width + to) * channels);
        }
        return out;
      },
    };
  },
};

/** Pixels of an extent before its middle part; negative where zeros go. Odd margins are halved as torchvision does. */
function before(extent: number, wanted: number): number {
  const margin = extent - wanted;
  if (margin < 0) return -(-margin >> 1);
  const half = margin >> 1;
  return margin % 2 === 0 ? half : half + (half % 2); // Python rounds a half to the even number
}
