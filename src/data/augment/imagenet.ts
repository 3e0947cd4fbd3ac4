import { centerCrop } from './ops/center-crop.js';
import { colorJitter } from './ops/color-jitter.js';
import { lighting } from './ops/lighting.js';
import { horizontalFlip } from './ops/op-horizontal-flip.js';
import { normalize } from './ops/op-normalize.js';
import { resize } from './ops/op-resize.js';
import { randomResizedCrop } from './ops/random-resized-crop.js';
import { unitScale } from './ops/unit-scale.js';
import type { Recipe } from './recipe.js';
import { imagenetStatistics } from './statistics.js';

/**
 * Supervised training on ImageNet as the authors pretrain.
 *
 * Difference to their code: the jitter works on bytes, theirs on floats after scaling to [0, 1].
 *
 * @param size pixels of each side that come out
 */
export const imagenetRecipe = ({ size = 224 }: { size?: number } = {}): Recipe => [
  randomResizedCrop({ size, scale: [0.08, 1], ratio: [3 / 4, 4 / 3] }),
  horizontalFlip({ probability: 0.5 }),
  colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4 }),
  unitScale(),
  lighting({ std: 0.1 }),
  normalize(imagenetStatistics),
];

/** Images to evaluate such a network on: the shorter side to 8/7 of `size`, then the middle. Nothing is random. */
export const imagenetTestRecipe = ({ size = 224 }: { size?: number } = {}): Recipe => [
  resize({ size: Math.trunc((256 / 224) * size) }),
  centerCrop({ size }),
  unitScale(),
  normalize(imagenetStatistics),
];
