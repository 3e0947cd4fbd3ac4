import { WeirError } from '../../../flow/errors.js';
import type { Random } from '../../../flow/random.js';
import { Canvas, type Region } from '../../images/image.js';
import { bothExtents, checkRange, checkSize, imageShape, op, type Range, type Size } from './op.js';
import { Resampler } from './resize.js';

/** Cuts the middle out of an image, and surrounds a smaller image with zeros. */
export const centerCrop = op('centerCrop', { size: 'required' }, (options: { readonly size: Size }) => options, {
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
});

/** Pixels before the middle part of an extent; negative where zeros are added. Odd margins are halved as torchvision does. */
function before(extent: number, wanted: number): number {
  const margin = extent - wanted;
  if (margin < 0) return -(-margin >> 1);
  const half = margin >> 1;
  return margin % 2 === 0 ? half : half + (half % 2); // Python rounds a half to the even number
}

export interface RandomCropOptions {
  /** Pixels of zeros that are added on each side before the image's own size is cut out. */
  readonly padding: number;
}

/** Pads an image with zeros and cuts its own size out again at a random place. */
export const randomCrop = op('randomCrop', { padding: 'required' }, (options: RandomCropOptions) => options, {
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
    let original: Uint8Array | Float32Array | undefined; // bytes or floats, as the values: an op is prepared for one of them
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
});

export interface RandomResizedCropOptions {
  /** Height and width of the result. */
  readonly size: Size;
  /** Area of the crop as a part of the image's, uniform; [0.08, 1] by default. */
  readonly scale?: Range;
  /** Width over height of the crop, its logarithm uniform; [3/4, 4/3] by default. */
  readonly ratio?: Range;
}

/** Draws of a crop that may lie outside of the image; then the largest crop in the middle with an allowed ratio is taken. */
const TRIES = 10;

/** Cuts a part of random area and ratio out of an image, and resizes it (bilinear, antialiased). */
export const randomResizedCrop = op(
  'randomResizedCrop',
  { size: 'required', scale: 'optional', ratio: 'optional' },
  ({ size, scale = [0.08, 1], ratio = [3 / 4, 4 / 3] }: RandomResizedCropOptions) => ({ size, scale, ratio }),
  {
    kind: 'resizing',
    prepare({ op, size, scale, ratio }, shape) {
      const [, , channels] = imageShape(op, shape);
      checkSize(op, size);
      checkRange(
        op,
        'scale',
        scale,
        Number.MIN_VALUE,
        1,
        'give [least, most] as parts of the area, above 0 and up to 1',
      );
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
  },
);

/** Draws the crop of an image of `height` × `width` pixels, as torchvision does. */
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
