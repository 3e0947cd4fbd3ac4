import type { Samples } from '../batch.js';
import type { Block } from '../draw.js';
import type { AnyDataset } from '../feed-dataset.js';
import { labelsAt } from '../labels.js';
import type { Recipe } from './recipe.js';
import { renderedShape } from './render.js';

/** Makes samples of a block and the values rendered for it; the shape is worked out once for each data set. */
export function finisher(recipes: readonly Recipe[], views: boolean): (block: Block, values: Float32Array) => Samples {
  const shapes = new WeakMap<AnyDataset, readonly number[]>();
  return ({ dataset, position, epoch, remaining, indices, share }, values) => {
    let sampleShape = shapes.get(dataset);
    if (!sampleShape) {
      sampleShape = renderedShape(dataset, recipes, views);
      shapes.set(dataset, sampleShape);
    }
    const labels = labelsAt(dataset.labels, indices);
    return { position, epoch, remaining, indices, sampleShape, values, labels, ...(share && { share }) };
  };
}
