import { brightness, imageShape, largest, perturbationPixels, pixels } from '../plot/figures-image.js';
import { png } from '../plot/png.js';
import type { Fields } from '../storage/protobuf.js';
import { image } from './summary.js';

const GAP = 1; // pixels between two pictures

/**
 * A sample, what the attack added to it (red raises, blue lowers, the strongest color is the largest change), and their sum, side by
 * side, as an image under `tag`; undefined for samples that are no pictures.
 */
export function attackPicture(
  tag: string,
  original: Float32Array,
  adversarial: Float32Array,
  shape: readonly number[],
): Fields | undefined {
  const size = imageShape(shape);
  if (size === null) return undefined;
  const [height, width, channels] = size;
  if (original.length !== height * width * channels || adversarial.length !== original.length) return undefined;
  const range = brightness(original);
  const delta = adversarial.map((value, i) => value - original[i]!);
  const pictures = [
    pixels(original, shape, range),
    perturbationPixels(delta, shape, largest(delta, channels)),
    pixels(adversarial, shape, range),
  ];
  const whole = 3 * width + 2 * GAP;
  const all = new Uint8Array(3 * height * whole).fill(255);
  for (const [i, one] of pictures.entries()) {
    for (let y = 0; y < height; y++) {
      all.set(one.subarray(3 * width * y, 3 * width * (y + 1)), 3 * (whole * y + i * (width + GAP)));
    }
  }
  return image(tag, whole, height, png(whole, height, all));
}
