import { colourJitter } from '../op/colour-jitter.js';
import { gaussianBlur } from '../op/gaussian-blur.js';
import { horizontalFlip } from '../op/horizontal-flip.js';
import { randomGreyscale } from '../op/random-greyscale.js';
import { randomResizedCrop } from '../op/random-resized-crop.js';
import { unitScale } from '../op/unit-scale.js';
import type { Recipe } from '../recipe.js';

/**
 * The two views of SimCLR (Chen et al. 2020, appendix A, for small images), of one recipe: strong colour jitter, and a blur of three taps.
 * Not normalised, as in the code of the paper's authors.
 *
 * @example draw(train, { epochs: 1000, seed }).pipe(views(simclrRecipes(), { seed }), batch(512))
 */
export const simclrRecipes = (): readonly [Recipe, Recipe] => {
  const view: Recipe = [
    randomResizedCrop(),
    horizontalFlip(),
    colourJitter({ brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2, probability: 0.8 }),
    randomGreyscale({ probability: 0.2 }),
    gaussianBlur({ kernel: 3, sigma: [0.1, 2] }),
    unitScale(),
  ];
  return [view, view];
};
