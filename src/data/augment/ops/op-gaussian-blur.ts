import { WeirError } from '../../../flow/errors.js';
import { Blur } from './blur.js';
import { imageShape } from './image-shape.js';
import type { OpDefinition } from './op-op.js';
import { checkProbability, checkRange, type Range } from './options.js';

export interface GaussianBlur {
  readonly op: 'gaussianBlur';
  /** Taps along each side, an odd number. */
  readonly kernel: number;
  readonly sigma: Range;
  readonly probability: number;
}

export interface GaussianBlurOptions {
  /** Standard deviation in pixels, uniform; one number is always the same. */
  readonly sigma?: number | Range;
  /** Taps along each side, an odd number; by default as many as reach to three times the largest `sigma`. */
  readonly kernel?: number;
  readonly probability?: number;
}

/** Blurs an image with a Gaussian, by chance where a `probability` is given. */
export function gaussianBlur({ sigma = [0.1, 2], kernel, probability = 1 }: GaussianBlurOptions = {}): GaussianBlur {
  const range: Range = typeof sigma === 'number' ? [sigma, sigma] : sigma;
  return { op: 'gaussianBlur', kernel: kernel ?? 2 * Math.ceil(3 * range[1]) + 1, sigma: range, probability };
}

export const gaussianBlurDefinition: OpDefinition<GaussianBlur> = {
  kind: 'pixels',
  prepare({ op, kernel, sigma, probability }, shape) {
    const [height, width, channels] = imageShape(op, shape);
    checkProbability(op, probability);
    checkRange(op, 'sigma', sigma, Number.MIN_VALUE, Infinity, 'give a number of pixels above 0, or [least, most]');
    const most = 2 * Math.min(height, width) - 1;
    if (!(Number.isInteger(kernel) && kernel > 0 && kernel % 2 === 1 && kernel <= most)) {
      throw new WeirError(
        `op '${op}' has kernel ${kernel} for images of ${height} × ${width}`,
        `give an odd number of pixels up to ${most}, or a smaller sigma: the edges are mirrored once`,
      );
    }
    const blur = new Blur(height, width, channels, kernel);
    return (values, random) => {
      const numbers = random();
      if (numbers.uniform() < probability) blur.apply(values, sigma[0] + (sigma[1] - sigma[0]) * numbers.uniform());
    };
  },
};
