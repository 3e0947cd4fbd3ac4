import { WeirError } from '../../../core/errors.js';
import { blurrer } from '../pixels/blur.js';
import { imageShape } from './image-shape.js';
import type { OpDefinition } from './op.js';
import { range, within } from './options.js';

export interface GaussianBlur {
  readonly op: 'gaussianBlur';
  /** Taps of the kernel, odd. */
  readonly kernel: number;
  /** Standard deviation in pixels, drawn uniformly, least and most. */
  readonly sigma: readonly [number, number];
  readonly probability: number;
}

/** Blurs an image by chance, by a Gaussian of random width. */
export const gaussianBlur = (
  options: Omit<GaussianBlur, 'op' | 'probability'> & { probability?: number },
): GaussianBlur => ({
  op: 'gaussianBlur',
  probability: 1,
  ...options,
});

export const gaussianBlurDefinition: OpDefinition<GaussianBlur> = {
  kind: 'free',
  prepare({ kernel, sigma, probability }, shape) {
    const [height, width, channels] = imageShape('gaussianBlur', shape);
    range('gaussianBlur', 'sigma', sigma);
    within('gaussianBlur', 'probability', probability, 0, 1);
    const most = 2 * Math.min(height, width) - 1; // an edge mirrors no more than the image
    if (!Number.isInteger(kernel) || kernel % 2 !== 1 || kernel < 1 || kernel > most) {
      throw new WeirError(
        `op 'gaussianBlur' has a kernel of ${kernel} taps for images of ${height} × ${width}`,
        `give an odd number from 1 to ${most}`,
      );
    }
    const blur = blurrer([height, width, channels], kernel);
    return (values, random) => {
      const numbers = random();
      if (numbers.uniform() >= probability) return;
      blur(values, sigma[0] + (sigma[1] - sigma[0]) * numbers.uniform());
    };
  },
};
