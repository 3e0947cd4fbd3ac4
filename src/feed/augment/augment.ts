import { Observable, type OperatorFunction } from 'rxjs';
import { labelsAt } from '../../core/labels.js';
import { stage } from '../../core/stage.js';
import type { Samples } from '../batch.js';
import type { Block } from '../draw.js';
import { ordered } from '../ordered.js';
import { AugmentPool, defaultThreads, type PoolOptions } from './pool.js';
import { isLight, type Recipe } from './recipe.js';
import { still } from './still.js';

export interface AugmentOptions extends PoolOptions {
  readonly seed: number;
  /** Which of several renderings of the same samples this is, where a method compares views. */
  readonly view?: number;
  /** Samples that may be inside at once; three blocks of 256 for each thread by default. */
  readonly limit?: number;
  readonly name?: string;
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
 * Failure: a thread that dies or hangs is replaced and its block run again; a sample that fails by itself ends the stream with
 * its index.
 *
 * @example draw(train, { epochs: 200, seed }).pipe(augment([randomCrop({ padding: 4 }), unitScale()], { seed }), batch(64))
 */
export function augment(recipe: Recipe, options: AugmentOptions): OperatorFunction<Block, Samples> {
  const { seed, view = 0, threads = defaultThreads(), limit = 3 * 256 * threads, name = 'augment' } = options;
  if (isLight(recipe)) {
    return stage<Block, Samples, null>({
      name,
      start: () => null,
      next: (none, block) => [none, samples(block, still(block.dataset, block.indices, recipe))],
    });
  }
  return (blocks) =>
    new Observable<Samples>((subscriber) => {
      let pool: AugmentPool | undefined;
      const work = (block: Block): Observable<Samples> =>
        new Observable((inner) => {
          const { dataset, indices, epoch } = block;
          const abort = new AbortController();
          pool ??= new AugmentPool({ ...options, threads });
          pool.run({ dataset, indices, epoch, recipe, seed, view }, abort.signal).then(
            (values) => {
              inner.next(samples(block, values));
              inner.complete();
            },
            (error) => inner.error(error),
          );
          return () => abort.abort();
        });
      const subscription = blocks
        .pipe(ordered(name, limit, work, (block) => block.indices.length))
        .subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        void pool?.close();
      };
    });
}

function samples({ dataset, position, epoch, remaining, indices }: Block, values: Float32Array): Samples {
  const labels = labelsAt(dataset.labels, indices);
  return { position, epoch, remaining, indices, sampleShape: dataset.sampleShape, values, labels };
}
