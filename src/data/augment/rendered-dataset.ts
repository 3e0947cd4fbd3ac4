import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import {
  type AnyDataset,
  type Dataset,
  type ImageDataset,
  sampleLength,
  sharedBytes,
  sharedFloats,
} from '../dataset.js';
import { marksOf } from '../images/reader.js';
import { sharedLabels } from '../sample-check.js';
import { keepsBytes, type Recipe } from './recipes.js';
import { compileRecipes, render, renderedShape, renderImages } from './renderer.js';

const samplesAtOnce = 1024; // samples rendered at once

/**
 * A whole data set after a recipe, as a data set: each sample once, as the recipe renders it in that epoch. Bytes stay bytes where all ops
 * work on bytes. It is for models that are fitted to augmented samples without training; training renders them anew every epoch.
 *
 * Bound: the samples in memory, a byte or four a value.
 *
 * @example rendered(train, [randomCrop({ padding: 4 }), horizontalFlip()], { seed })
 */
export function rendered(
  dataset: Dataset,
  recipe: Recipe,
  options: { readonly seed: number; readonly epoch?: number },
): Dataset {
  const { seed, epoch = 1 } = checkOptions('rendered', options, { seed: 'required', epoch: 'optional' });
  const bytes = dataset.values instanceof Uint8Array && keepsBytes(recipe);
  const sampleShape = renderedShape(dataset, [recipe], false);
  const length = sampleLength({ sampleShape });
  const values = (bytes ? sharedBytes : sharedFloats)(dataset.size * length);
  for (let first = 0; first < dataset.size; first += samplesAtOnce) {
    const indices = Uint32Array.from({ length: Math.min(samplesAtOnce, dataset.size - first) }, (_, i) => first + i);
    values.set(render(dataset, indices, recipe, { seed, epoch }), first * length);
  }
  if (recipe.length === 0) return { ...dataset, values };
  const { box: _, normalization: __, ...about } = dataset; // of the values as they were
  return { ...about, sampleShape, values };
}

const imagesAtOnce = 64; // images rendered at once

export interface DecodedOptions {
  readonly seed?: number;
  readonly epoch?: number;
  /** Number of images, taken evenly from first to last, so alike of every class where they are sorted by class; all by default. */
  readonly images?: number;
}

/**
 * Images outside of memory after a recipe that brings them to one size, as a data set in memory. Each comes once, as the recipe renders it in
 * that epoch. Bytes stay bytes where no op makes floats of them. It is for measurements on whole sets: accuracy, attacks, readouts.
 *
 * Bound: the samples in memory, a byte or four a value.
 *
 * @example const test = await decoded(await imageFolder({ folder: 'imagenet', split: 'val' }), [resize({ size: 256 }), centerCrop({ size: 224 })]);
 */
export async function decoded(dataset: ImageDataset, recipe: Recipe, options: DecodedOptions = {}): Promise<Dataset> {
  const {
    seed = 0,
    epoch = 1,
    images = dataset.size,
  } = checkOptions('decoded', options, { seed: 'optional', epoch: 'optional', images: 'optional' });
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

/** Values of a data set that are stored rendered, at most: 256 MiB. */
const MOST_VALUES = 2 ** 26;

const wholeDatasets = new WeakMap<Dataset, Map<string, Float32Array>>();

/**
 * The samples at `indices` after a light recipe, as `render` gives them: [indices, ...sampleShape].
 *
 * Such a recipe renders a sample alike in every epoch. So a data set of up to 2²⁶ values is rendered once, and then rows are copied.
 */
export function lightSamples(dataset: AnyDataset, indices: Uint32Array, recipe: Recipe): Float32Array {
  if (dataset.images) throw lightOnImages(dataset, recipe);
  const whole = wholeRendered(dataset, recipe);
  if (!whole) return render(dataset, indices, recipe, { seed: 0, epoch: 1 });
  const length = sampleLength(dataset);
  const out = new Float32Array(indices.length * length);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]! * length;
    out.set(whole.subarray(from, from + length), i * length);
  }
  return out;
}

/** No light op brings images to one size, so the compiler's error names what is missing. */
function lightOnImages(dataset: AnyDataset, recipe: Recipe): Error {
  renderedShape(dataset, [recipe], false);
  return new WeirError(
    `the images of '${dataset.name}' are decoded on worker threads, but nothing in the recipe asks for them`,
    'put an op in it that resizes or crops',
  );
}

function wholeRendered(dataset: Dataset, recipe: Recipe): Float32Array | undefined {
  if (dataset.values instanceof Float32Array && recipe.length === 0) return dataset.values;
  if (dataset.values.length > MOST_VALUES) return undefined;
  let ofDataset = wholeDatasets.get(dataset);
  if (!ofDataset) {
    ofDataset = new Map();
    wholeDatasets.set(dataset, ofDataset);
  }
  const key = JSON.stringify(recipe);
  let whole = ofDataset.get(key);
  if (!whole) {
    whole = render(
      dataset,
      Uint32Array.from({ length: dataset.size }, (_, i) => i),
      recipe,
      { seed: 0, epoch: 1 },
    );
    ofDataset.set(key, whole);
  }
  return whole;
}
