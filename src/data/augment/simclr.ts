import { colorJitter } from './ops/color-jitter.js';
import { gaussianBlur } from './ops/op-gaussian-blur.js';
import { horizontalFlip } from './ops/op-horizontal-flip.js';
import { randomGrayscale } from './ops/random-grayscale.js';
import { randomResizedCrop } from './ops/random-resized-crop.js';
import { unitScale } from './ops/unit-scale.js';
import type { Recipe } from './recipe.js';

/**
 * The two views of SimCLR as the authors train it on CIFAR-10: both alike, always blurred with 3 × 3 taps, in [0, 1] without
 * normalization.
 *
 * @param size pixels of each side that come out; @param strength of the color jitter, as a part of the authors'
 */
export function simclrRecipes({
  size = 32,
  strength = 1,
}: {
  size?: number;
  strength?: number;
} = {}): readonly [Recipe, Recipe] {
  const strong = 0.8 * strength;
  const view: Recipe = [
    randomResizedCrop({ size, scale: [0.08, 1], ratio: [3 / 4, 4 / 3] }),
    horizontalFlip({ probability: 0.5 }),
    colorJitter({ brightness: strong, contrast: strong, saturation: strong, hue: 0.2 * strength, probability: 0.8 }),
    randomGrayscale({ probability: 0.2 }),
    gaussianBlur({ sigma: [0.1, 2], kernel: 2 * Math.floor(Math.floor(size / 10) / 2) + 1 }),
    unitScale(),
  ];
  return [view, view];
}
