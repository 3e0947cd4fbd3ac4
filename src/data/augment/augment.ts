import { Observable, type OperatorFunction } from 'rxjs';
import { WeirError } from '../../flow/errors.js';
import { checkOptions, type OptionKeys } from '../../flow/options.js';
import { ordered } from '../../flow/ordered.js';
import { stage } from '../../flow/stage.js';
import type { Samples } from '../batch.js';
import type { AnyDataset } from '../dataset.js';
import type { Block } from '../loader.js';
import { labelsAt } from '../sample-check.js';
import { AugmentPool, defaultThreads, type PoolOptions } from './pool.js';
import { isLight, normalizedBy, type Recipe } from './recipes.js';
import { lightSamples } from './rendered-dataset.js';
import { renderedShape } from './renderer.js';

/** A function that joins a block and the values rendered for it to samples. It works out their shape once for each data set. */
export function samplesOf(recipes: readonly Recipe[], views: boolean): (block: Block, values: Float32Array) => Samples {
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

export interface OnThreadsOptions extends PoolOptions {
  readonly seed: number;
  /** Samples that may be inside at once; by default three blocks of 256 for each thread. */
  readonly limit?: number;
  readonly name?: string;
}

/** The same as a table for `checkOptions`. */
const threadOptionKeys: OptionKeys<OnThreadsOptions> = {
  seed: 'required',
  limit: 'optional',
  name: 'optional',
  threads: 'optional',
  patience: 'optional',
  worker: 'optional',
};

export interface RenderWork {
  readonly recipes: readonly Recipe[];
  /** View of the first recipe; each further recipe is the next view. */
  readonly view: number;
  /** Joins a block and the values rendered for it to samples. */
  readonly finish: (block: Block, values: Float32Array) => Samples;
}

/** Renders blocks on worker threads, which start with the first block and end with the stream. */
function onThreads(
  { recipes, view, finish }: RenderWork,
  options: OnThreadsOptions & { readonly name: string },
): OperatorFunction<Block, Samples> {
  const { seed, threads = defaultThreads(), limit = 3 * 256 * threads, name } = options;
  return (blocks) =>
    new Observable<Samples>((subscriber) => {
      let pool: AugmentPool | undefined;
      const work = (block: Block): Observable<Samples> =>
        new Observable((inner) => {
          if (block.indices.length === 0) {
            inner.next(finish(block, new Float32Array(0))); // this rank has no sample of a short last block
            inner.complete();
            return;
          }
          const { dataset, indices, epoch } = block;
          const abort = new AbortController();
          pool ??= new AugmentPool({ ...options, threads });
          pool.run({ dataset, indices, epoch, recipes, seed, view }, abort.signal).then(
            (values) => {
              inner.next(finish(block, values));
              inner.complete();
            },
            (error) => inner.error(error),
          );
          return () => abort.abort();
        });
      const subscription = blocks
        .pipe(
          ordered(
            name,
            limit,
            work,
            (block) => block.indices.length,
            (incoming) => normalizedBy(recipes, incoming),
          ),
        )
        .subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        void pool?.close();
      };
    });
}

export interface AugmentOptions extends OnThreadsOptions {
  /** Number of this rendering, where a method compares several of the same samples; 0 by default. */
  readonly view?: number;
}

/**
 * Reads the samples of each block and applies a recipe to them.
 *
 *   blocks                   a--b--c--|
 *   augment([unitScale()])   A--B--C--|   inline: each value alone, nothing random
 *   augment([randomCrop()])  ---A--B-C|   on worker threads, which start with the first block and end with the stream
 *
 * Bound: `limit` samples inside; every thread has its next block queued. Order: that of the blocks. State: none, for random
 * numbers are keyed by (seed, op, epoch, sample, view). So any number of threads gives the same bits.
 * Failure: a thread that dies or hangs is replaced and its block is run again, as is a block of which a sample fails. A sample that fails
 * three times ends the stream, and the error names it.
 *
 * @example loader(train, { epochs: 200, seed }).pipe(augment([randomCrop({ padding: 4 }), unitScale()], { seed }), batch(64))
 */
export function augment(recipe: Recipe, options: AugmentOptions): OperatorFunction<Block, Samples> {
  checkOptions('augment', options, { view: 'optional', ...threadOptionKeys });
  const { view = 0, name = 'augment' } = options;
  const finish = samplesOf([recipe], false);
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

/**
 * Reads the samples of each block and renders each by several recipes: the views that a method compares.
 *
 *   blocks                       a--b--|
 *   views([recipe, other])       ---A--B|   sampleShape [2, height, width, channels]
 *
 * The views of a sample lie one behind another in `values`, so a batch of n samples is [n, views, …]. View k has random
 * numbers of its own, even where all recipes are the same. Bound, order, state and failure are those of `augment`.
 *
 * @example loader(train, { epochs: 1000, seed }).pipe(views(barlowRecipes(), { seed }), batch(1024, { partial: 'drop' }))
 */
export function views(recipes: readonly Recipe[], options: OnThreadsOptions): OperatorFunction<Block, Samples> {
  checkOptions('views', options, threadOptionKeys);
  const { name = 'views' } = options;
  if (recipes.length === 0) throw new WeirError(`'${name}' was given no recipe`, 'give one recipe for each view');
  return onThreads({ recipes, view: 0, finish: samplesOf(recipes, true) }, { ...options, name });
}
