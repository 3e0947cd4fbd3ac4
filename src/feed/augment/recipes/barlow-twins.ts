import { colourJitter } from '../op/colour-jitter.js';
import { gaussianBlur } from '../op/gaussian-blur.js';
import { horizontalFlip } from '../op/horizontal-flip.js';
import { type Normalise, normalise } from '../op/normalise.js';
import { randomGreyscale } from '../op/random-greyscale.js';
import { randomResizedCrop } from '../op/random-resized-crop.js';
import { randomSolarise } from '../op/random-solarise.js';
import { unitScale } from '../op/unit-scale.js';
import type { Recipe } from '../recipe.js';

/**
 * The two views of Barlow Twins (Zbontar et al. 2021, appendix A, for small images): the first is always blurred, the second rarely, and
 * solarised at times.
 *
 * Blurs have a standard deviation of 0.1 to 2 pixels and 13 taps, three standard deviations of the widest; the authors of the paper blur
 * with Pillow, which approximates a Gaussian by boxes.
 *
 * @param statistics mean and standard deviation of each channel, what views are normalised with
 * @example draw(train, { epochs: 1000, seed }).pipe(views(barlowTwinsRecipes(imagenet), { seed }), batch(1024))
 */
export const barlowTwinsRecipes = (statistics: Omit<Normalise, 'op'>): readonly [Recipe, Recipe] => {
  const view = (blurred: number, solarised: number): Recipe => [
    randomResizedCrop(),
    horizontalFlip(),
    colourJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1, probability: 0.8 }),
    randomGreyscale({ probability: 0.2 }),
    gaussianBlur({ kernel: 13, sigma: [0.1, 2], probability: blurred }),
    randomSolarise({ threshold: 128, probability: solarised }),
    unitScale(),
    normalise(statistics),
  ];
  return [view(1, 0), view(0.1, 0.2)];
};
