import type { Random } from '../../../flow/seed.js';
import type { Region } from '../../images/region.js';
import { imageShape } from './image-shape.js';
import type { OpDefinition } from './op-op.js';
import { bothExtents, checkRange, checkSize, type Range, type Size } from './options.js';
import { Resampler } from './resample.js';

export interface RandomResizedCrop {
  readonly op: 'randomResizedCrop';
  readonly size: Size;
  readonly scale: Range;
  readonly ratio: Range;
}

export interface RandomResizedCropOptions {
  /** Pixels that come out. */
  readonly size: Size;
  /** Area of the part that is cut out, of the image's; uniform. */
  readonly scale?: Range;
  /** Its width over its height; the logarithm is uniform. */
  readonly ratio?: Range;
}

/** Cuts a part of random area and form out of an image, and brings it to one size (bilinear, antialiased). */
export const randomResizedCrop = ({
  size,
  scale = [0.08, 1],
  ratio = [3 / 4, 4 / 3],
}: RandomResizedCropOptions): RandomResizedCrop => ({ op: 'randomResizedCrop', size, scale, ratio });

/** How often a part is drawn; then the largest in the middle is taken whose form is allowed. */
const TRIES = 10;

export const randomResizedCropDefinition: OpDefinition<RandomResizedCrop> = {
  kind: 'resizing',
  prepare({ op, size, scale, ratio }, shape) {
    const [, , channels] = imageShape(op, shape);
    checkSize(op, size);
    checkRange(op, 'scale', scale, Number.MIN_VALUE, 1, 'give [least, most] as parts of the area, above 0 and up to 1');
    checkRange(op, 'ratio', ratio, Number.MIN_VALUE, Infinity, 'give [least, most] of width over height, above 0');
    const [height, width] = bothExtents(size);
    const resampler = new Resampler(channels);
    const region: Region = { top: 0, left: 0, height: 0, width: 0 };
    return {
      shape: [height, width, channels],
      apply(image, random) {
        drawRegion(image.height, image.width, scale, ratio, random(), region);
        return resampler.resample(image, region, height, width);
      },
    };
  },
};

/** Draws the part of an image of `height` × `width` pixels that is cut out, as torchvision does. */
export function drawRegion(
  height: number,
  width: number,
  scale: Range,
  ratio: Range,
  random: Random,
  into: Region,
): void {
  const least = Math.log(ratio[0]);
  const most = Math.log(ratio[1]);
  for (let i = 0; i < TRIES; i++) {
    const area = height * width * between(scale[0], scale[1], random);
    const form = Math.exp(between(least, most, random));
    into.width = Math.round(Math.sqrt(area * form));
    into.height = Math.round(Math.sqrt(area / form));
    if (into.width < 1 || into.width > width || into.height < 1 || into.height > height) continue;
    into.top = random.integer(height - into.height + 1);
    into.left = random.integer(width - into.width + 1);
    return;
  }
  const form = width / height;
  into.width = form > ratio[1] ? Math.max(1, Math.round(height * ratio[1])) : width;
  into.height = form < ratio[0] ? Math.max(1, Math.round(width / ratio[0])) : height;
  into.top = (height - into.height) >> 1;
  into.left = (width - into.width) >> 1;
}

const between = (from: number, to: number, random: Random): number => from + (to - from) * random.uniform();
