import { type Dataset, type ImageDataset, sharedBytes, sharedFloats } from '../dataset.js';
import { keepsBytes, type Recipe } from './recipe.js';
import { compileRecipes } from './render.js';
import { renderImages } from './render-images.js';

const chunk = 64; // images rendered at once

/**
 * Images outside of memory after a recipe that brings them to one size, as a data set in memory: each once, as it comes in that epoch.
 * Bytes stay bytes where no op makes floats of them. For what measures a network on whole sets: accuracy, attacks, readouts.
 *
 * Bound: the samples in memory, a byte or four a value.
 *
 * @example const test = await decoded(await imageFolder({ folder, split: 'val' }), [resize({ size: 256 }), centerCrop({ size: 224 })]);
 */
export async function decoded(
  dataset: ImageDataset,
  recipe: Recipe,
  { seed = 0, epoch = 1 }: { readonly seed?: number; readonly epoch?: number } = {},
): Promise<Dataset> {
  const { outShape, length } = compileRecipes(dataset, [recipe])[0]!;
  const values = (keepsBytes(recipe) ? sharedBytes : sharedFloats)(dataset.size * length);
  for (let first = 0; first < dataset.size; first += chunk) {
    const indices = Uint32Array.from({ length: Math.min(chunk, dataset.size - first) }, (_, i) => first + i);
    values.set(await renderImages(dataset, indices, [recipe], { seed, epoch }), first * length);
  }
  const { name, size, classes, labels } = dataset;
  return { name, size, sampleShape: outShape, classes, labels, values };
}
