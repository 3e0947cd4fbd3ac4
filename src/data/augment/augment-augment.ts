import type { OperatorFunction } from 'rxjs';
import { stage } from '../../flow/core-stage.js';
import type { Samples } from '../batch.js';
import type { Block } from '../draw.js';
import { finisher } from './finish.js';
import { type OnThreadsOptions, onThreads } from './on-threads.js';
import { isLight, normalizedBy, type Recipe } from './recipe.js';
import { lightSamples } from './still.js';

export interface AugmentOptions extends OnThreadsOptions {
  /** Which of several renderings of the same samples this is, where a method compares views. */
  readonly view?: number;
}

/**
 * Reads the samples of each block and applies a recipe to them.
 *
 *   blocks                   a--b--c--|
 *   augment([unitScale()])   A--B--C--|   inline: each value alone, nothing random
 *   augment([randomCrop()])  ---A--B-C|   on worker threads, started when the first block comes and ended with the stream
 *
 * Bound: `limit` samples inside; every thread has its next block queued. Order: that of the blocks. State: none, for random
 * numbers are keyed by (seed, op, epoch, sample, view): any number of threads gives the same bits.
 * Failure: a thread that dies or hangs is replaced and its block run again, as is a block of which a sample fails; a sample that fails
 * three times ends the stream with its index.
 *
 * @example draw(train, { epochs: 200, seed }).pipe(augment([randomCrop({ padding: 4 }), unitScale()], { seed }), batch(64))
 */
export function augment(recipe: Recipe, options: AugmentOptions): OperatorFunction<Block, Samples> {
  const { view = 0, name = 'augment' } = options;
  const finish = finisher([recipe], false);
  if (isLight(recipe)) {
    return stage<Block, Samples, null>({
      name,
      start: () => null,
      introduce: (incoming) => normalizedBy([recipe], incoming),
      next: (none, block) => [none, finish(block, lightSamples(block.dataset, block.indices, recipe))],
    });
  }
  return onThreads({ recipes: [recipe], view, finish }, { ...options, name });
}
