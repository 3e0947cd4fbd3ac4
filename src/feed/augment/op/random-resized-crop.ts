import { WeirError } from '../../../core/errors.js';
import type { Random } from '../../../core/seed.js';
import { type Box, resampler } from '../pixels/resample.js';
import { imageShape } from './image-shape.js';
import type { OpDefinition } from './op.js';
import { range } from './options.js';

export interface RandomResizedCrop {
  readonly op: 'randomResizedCrop';
  /** Part of the image's area that is cut out, least and most. */
  readonly scale: readonly [number, number];
  /** Width over height of what is cut out, least and most. */
  readonly ratio: readonly [number, number];
}

/** Cuts a part of random size, shape and place out of an image, and resizes it to the image's size (bilinear, antialiased). */
export const randomResizedCrop = ({
  scale = [0.08, 1],
  ratio = [3 / 4, 4 / 3],
}: Partial<Omit<RandomResizedCrop, 'op'>> = {}): RandomResizedCrop => ({ op: 'randomResizedCrop', scale, ratio });

/** How often a part is drawn that might not fit. */
const TRIES = 10;

export const randomResizedCropDefinition: OpDefinition<RandomResizedCrop> = {
  kind: 'free',
  prepare({ scale, ratio }, shape) {
    const [height, width, channels] = imageShape('randomResizedCrop', shape);
    range('randomResizedCrop', 'scale', scale);
    range('randomResizedCrop', 'ratio', ratio);
    if (scale[1] > 1) {
      throw new WeirError(
        `op 'randomResizedCrop' has scale [${scale.join(', ')}]`,
        'give parts of the area, at most 1',
      );
    }
    const resample = resampler([height, width, channels]);
    return (values, random) => resample(values, drawBox(height, width, scale, ratio, random()), values);
  },
};

/** As torchvision draws it: area and logarithm of the ratio uniform; where ten do not fit, the largest part in the middle that does. */
export function drawBox(
  height: number,
  width: number,
  scale: readonly [number, number],
  ratio: readonly [number, number],
  random: Random,
): Box {
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  for (let i = 0; i < TRIES; i++) {
    const area = height * width * between(...scale);
    const shape = Math.exp(between(Math.log(ratio[0]), Math.log(ratio[1])));
    const [w, h] = [Math.round(Math.sqrt(area * shape)), Math.round(Math.sqrt(area / shape))];
    if (w < 1 || h < 1 || w > width || h > height) continue;
    return { top: random.integer(height - h + 1), left: random.integer(width - w + 1), height: h, width: w };
  }
  const own = width / height;
  const w = own > ratio[1] ? Math.round(height * ratio[1]) : width;
  const h = own < ratio[0] ? Math.round(width / ratio[0]) : height;
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w };
}
