import { type Dataset, sampleLength, sharedBytes, sharedFloats } from '../feed-dataset.js';
import { keepsBytes, type Recipe } from './recipe.js';
import { render, renderedShape } from './render.js';

const samplesAtOnce = 1024; // samples rendered at once

/**
 * A whole data set after a recipe, as a data set: each sample once, as it comes in that epoch. Bytes stay bytes where all of
 * the recipe works on bytes. For what is fitted to augmented samples without training on them; training draws them anew every epoch.
 *
 * Bound: the samples in memory, a byte or four a value.
 *
 * @example rendered(train, [randomCrop({ padding: 4 }), horizontalFlip()], { seed })
 */
export function rendered(
  dataset: Dataset,
  recipe: Recipe,
  { seed, epoch = 1 }: { readonly seed: number; readonly epoch?: number },
): Dataset {
  const bytes = dataset.values instanceof Uint8Array && keepsBytes(recipe);
  const sampleShape = renderedShape(dataset, [recipe], false);
  const length = sampleLength({ sampleShape });
  const values = (bytes ? sharedBytes : sharedFloats)(dataset.size * length);
  for (let first = 0; first < dataset.size; first += samplesAtOnce) {
    const indices = Uint32Array.from({ length: Math.min(samplesAtOnce, dataset.size - first) }, (_, i) => first + i);
    values.set(render(dataset, indices, recipe, { seed, epoch }), first * length);
  }
  return { ...dataset, sampleShape, values };
}
