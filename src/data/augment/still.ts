import { WeirError } from '../../flow/errors.js';
import { type AnyDataset, type Dataset, sampleLength } from '../feed-dataset.js';
import type { Recipe } from './recipe.js';
import { render, renderedShape } from './render.js';

/** The most values of a data set that are kept rendered: 256 MiB. */
const MOST_VALUES = 2 ** 26;

const wholeDatasets = new WeakMap<Dataset, Map<string, Float32Array>>();

/**
 * The samples at `indices` after a light recipe, as `render` gives them: [indices, ...sampleShape].
 *
 * Such a recipe makes the same of a sample in every epoch, so a data set that is not too large is rendered once, and what
 * is left on the main thread is to copy rows together.
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

/** No light op brings images to one size, so compiling says what is missing. */
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
