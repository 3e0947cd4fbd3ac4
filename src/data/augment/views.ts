import type { OperatorFunction } from 'rxjs';
import { WeirError } from '../../flow/errors.js';
import type { Samples } from '../batch.js';
import type { Block } from '../draw.js';
import { finisher } from './finish.js';
import { type OnThreadsOptions, onThreads } from './on-threads.js';
import type { Recipe } from './recipe.js';

/**
 * Reads the samples of each block and renders each of them by several recipes: the views that a method compares.
 *
 *   blocks                       a--b--|
 *   views([recipe, other])       ---A--B|   sampleShape [2, height, width, channels]
 *
 * The views of a sample lie one behind another in `values`, so a batch of n samples is [n, views, …]. View k has random
 * numbers of its own, though all recipes be the same. Bound, order, state and failure are those of `augment`.
 *
 * @example draw(train, { epochs: 1000, seed }).pipe(views(barlowRecipes(), { seed }), batch(1024, { partial: 'drop' }))
 */
export function views(recipes: readonly Recipe[], options: OnThreadsOptions): OperatorFunction<Block, Samples> {
  const { name = 'views' } = options;
  if (recipes.length === 0) throw new WeirError(`'${name}' was given no recipe`, 'give one recipe for each view');
  return onThreads({ recipes, view: 0, finish: finisher(recipes, true) }, { ...options, name });
}
