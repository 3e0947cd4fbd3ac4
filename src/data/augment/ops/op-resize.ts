import { imageShape } from './image-shape.js';
import type { OpDefinition } from './op-op.js';
import { checkSize, type Size } from './options.js';
import { Resampler } from './resample.js';

export interface Resize {
  readonly op: 'resize';
  /** One number: of the shorter side, the other in proportion. */
  readonly size: Size;
}

/** Brings an image to a size (bilinear, antialiased): its shorter side, or both where two are given. */
export const resize = (options: Omit<Resize, 'op'>): Resize => ({ op: 'resize', ...options });

export const resizeDefinition: OpDefinition<Resize> = {
  kind: 'resizing',
  prepare({ op, size }, shape) {
    const [height, width, channels] = imageShape(op, shape);
    checkSize(op, size);
    const resampler = new Resampler(channels);
    const known = typeof size !== 'number' || (height !== undefined && width !== undefined);
    return {
      shape: known ? [...extents(size, height ?? 0, width ?? 0), channels] : [undefined, undefined, channels],
      apply(image) {
        const [outHeight, outWidth] = extents(size, image.height, image.width);
        const whole = { top: 0, left: 0, height: image.height, width: image.width };
        return resampler.resample(image, whole, outHeight, outWidth);
      },
    };
  },
};

function extents(size: Size, height: number, width: number): readonly [height: number, width: number] {
  if (typeof size !== 'number') return size;
  return height <= width ? [size, Math.trunc((size * width) / height)] : [Math.trunc((size * height) / width), size];
}
