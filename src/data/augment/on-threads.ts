import { Observable, type OperatorFunction } from 'rxjs';
import { ordered } from '../../flow/ordered.js';
import type { Samples } from '../batch.js';
import type { Block } from '../draw.js';
import { AugmentPool, defaultThreads, type PoolOptions } from './augment-pool.js';
import { normalizedBy, type Recipe } from './recipe.js';

export interface OnThreadsOptions extends PoolOptions {
  readonly seed: number;
  /** Samples that may be inside at once; three blocks of 256 for each thread by default. */
  readonly limit?: number;
  readonly name?: string;
}

export interface Work {
  readonly recipes: readonly Recipe[];
  /** Of the first recipe. */
  readonly view: number;
  /** Makes samples of a block and what came out for it. */
  readonly finish: (block: Block, values: Float32Array) => Samples;
}

/** Renders blocks on worker threads, which are started when the first block comes and ended with the stream. */
export function onThreads(
  { recipes, view, finish }: Work,
  options: OnThreadsOptions & { readonly name: string },
): OperatorFunction<Block, Samples> {
  const { seed, threads = defaultThreads(), limit = 3 * 256 * threads, name } = options;
  return (blocks) =>
    new Observable<Samples>((subscriber) => {
      let pool: AugmentPool | undefined;
      const work = (block: Block): Observable<Samples> =>
        new Observable((inner) => {
          if (block.indices.length === 0) {
            inner.next(finish(block, new Float32Array(0))); // no sample of a short last block is this rank's
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
