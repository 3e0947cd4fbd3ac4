import { type Dataset, type ImageDataset, sharedBytes, sharedFloats } from '../feed-dataset.js';
import { marksOf } from '../images/images.js';
import { sharedLabels } from '../labels.js';
import { keepsBytes, type Recipe } from './recipe.js';
import { compileRecipes } from './render.js';
import { renderImages } from './render-images.js';

const imagesAtOnce = 64; // images rendered at once

export interface DecodedOptions {
  readonly seed?: number;
  readonly epoch?: number;
  /** How many, evenly from first to last, so of every class alike where they are sorted by class; all by default. */
  readonly images?: number;
}

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
  { seed = 0, epoch = 1, images = dataset.size }: DecodedOptions = {},
): Promise<Dataset> {
  const size = Math.min(images, dataset.size);
  const chosen = Uint32Array.from({ length: size }, (_, i) => Math.floor((i * dataset.size) / size));
  const { outShape, length } = compileRecipes(dataset, [recipe])[0]!;
  const values = (keepsBytes(recipe) ? sharedBytes : sharedFloats)(size * length);
  const labels = sharedLabels(dataset.classes.length, size);
  for (let first = 0; first < size; first += imagesAtOnce) {
    const indices = chosen.subarray(first, first + imagesAtOnce);
    values.set(await renderImages(dataset, indices, [recipe], { seed, epoch }), first * length);
    for (const [i, index] of indices.entries()) labels[first + i] = dataset.labels[index]!;
  }
  const { name, classes } = dataset;
  const marks = marksOf(dataset.images);
  const origins = Float64Array.from(chosen, (index) => marks[index]!);
  return { name, size, sampleShape: outShape, classes, labels, values, origins };
}
