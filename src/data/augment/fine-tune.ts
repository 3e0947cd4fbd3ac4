import { horizontalFlip } from './ops/op-horizontal-flip.js';
import { normalize } from './ops/op-normalize.js';
import { resize } from './ops/op-resize.js';
import { randomResizedCrop } from './ops/random-resized-crop.js';
import { unitScale } from './ops/unit-scale.js';
import type { Recipe } from './recipe.js';
import { cifar10Statistics, imagenetStatistics } from './statistics.js';

/** What a network is tuned on: CIFAR-10's small images enlarged, or a folder of photographs. */
export type FineTuneData = 'cifar10' | 'folder';

/**
 * Fine-tuning as the authors do it: a part that is cut out, and a flip. On folders of photographs the part is between square
 * and 1.3 times as wide as high, and ImageNet's statistics normalize.
 *
 * @param size pixels of each side that come out
 */
export const fineTuneRecipe = (data: FineTuneData, { size = 224 }: { size?: number } = {}): Recipe => [
  randomResizedCrop({ size, scale: [0.08, 1], ratio: data === 'cifar10' ? [3 / 4, 4 / 3] : [1, 1.3] }),
  horizontalFlip({ probability: 0.5 }),
  unitScale(),
  normalize(data === 'cifar10' ? cifar10Statistics : imagenetStatistics),
];

/** Images to evaluate such a network on: the whole image at `size` × `size`, whatever its form was. Nothing is random. */
export const fineTuneTestRecipe = (data: FineTuneData, { size = 224 }: { size?: number } = {}): Recipe => [
  resize({ size: [size, size] }),
  unitScale(),
  normalize(data === 'cifar10' ? cifar10Statistics : imagenetStatistics),
];
