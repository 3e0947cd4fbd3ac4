import { colorJitter } from './ops/color-jitter.js';
import { gaussianBlur } from './ops/op-gaussian-blur.js';
import { horizontalFlip } from './ops/op-horizontal-flip.js';
import { normalize } from './ops/op-normalize.js';
import { solarize } from './ops/op-solarize.js';
import { randomGrayscale } from './ops/random-grayscale.js';
import { randomResizedCrop } from './ops/random-resized-crop.js';
import { unitScale } from './ops/unit-scale.js';
import type { Recipe } from './recipe.js';
import { imagenetStatistics } from './statistics.js';

/**
 * The two views of Barlow Twins as the authors train it on CIFAR-10: the first always blurred and never solarized, the second
 * seldom blurred and sometimes solarized. Normalized with ImageNet's statistics.
 *
 * Differences to the authors' code: the blur is a Gaussian of 13 taps with mirrored edges, where Pillow's is three box blurs.
 *
 * @param size pixels of each side that come out
 */
export const barlowRecipes = ({ size = 32 }: { size?: number } = {}): readonly [Recipe, Recipe] => [
  view(size, 1, 0),
  view(size, 0.1, 0.2),
];

const view = (size: number, blurred: number, solarized: number): Recipe => [
  randomResizedCrop({ size, scale: [0.08, 1], ratio: [3 / 4, 4 / 3] }),
  horizontalFlip({ probability: 0.5 }),
  colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1, probability: 0.8 }),
  randomGrayscale({ probability: 0.2 }),
  gaussianBlur({ sigma: [0.1, 2], kernel: 13, probability: blurred }),
  solarize({ threshold: 128, probability: solarized }),
  unitScale(),
  normalize(imagenetStatistics),
];
