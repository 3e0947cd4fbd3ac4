import { Observable, type OperatorFunction } from 'rxjs';
import { WeirError } from '../../core/errors.js';
import { labelsAt } from '../../core/labels.js';
import type { Samples } from '../batch.js';
import { sampleLength } from '../dataset.js';
import type { Block } from '../draw.js';
import { ordered } from '../ordered.js';
import type { AugmentOptions } from './augment.js';
import { AugmentPool, defaultThreads } from './pool.js';
import type { Recipe } from './recipe.js';

/**
 * Reads the samples of each block and renders several views of each, a recipe a view: samples of [views, ...sampleShape].
 *
 *   blocks           a-----b-----|
 *   views([p, q])    ---A-----B--|    A: of each sample of a what p makes of it, then what q makes of it
 *
 * Views differ though their recipes be the same, for random numbers are keyed by the view too: otherwise as `augment`, on worker
 * threads whatever the recipe. Bound: `limit` samples inside. Order: that of the blocks. State: none. Failure: that of `augment`.
 *
 * @example draw(train, { epochs: 1000, seed }).pipe(views([recipe, recipe], { seed }), batch(1024, { partial: 'drop' }))
 */
export function views(
  recipes: readonly Recipe[],
  options: Omit<AugmentOptions, 'view'>,
): OperatorFunction<Block, Samples> {
  const { seed, threads = defaultThreads(), limit = 3 * 256 * threads, name = 'views' } = options;
  if (recipes.length === 0) throw new WeirError(`'${name}' was given no recipe`, 'give it one for each view');
  return (blocks) =>
    new Observable<Samples>((subscriber) => {
      let pool: AugmentPool | undefined;
      const work = (block: Block): Observable<Samples> =>
        new Observable((inner) => {
          const abort = new AbortController();
          pool ??= new AugmentPool({ ...options, threads });
          viewsOf(pool, block, recipes, seed, abort.signal).then(
            (views) => {
              inner.next(views);
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

/** The views of one block. */
export async function viewsOf(
  pool: AugmentPool,
  block: Block,
  recipes: readonly Recipe[],
  seed: number,
  signal?: AbortSignal,
): Promise<Samples> {
  const { dataset, indices, epoch } = block;
  const render = (recipe: Recipe, view: number) => pool.run({ dataset, indices, epoch, recipe, seed, view }, signal);
  return samples(block, await Promise.all(recipes.map(render)));
}

/** The views of each sample side by side. */
function samples({ dataset, position, epoch, remaining, indices }: Block, views: readonly Float32Array[]): Samples {
  const length = sampleLength(dataset);
  const values = new Float32Array(views.length * indices.length * length);
  for (let i = 0; i < indices.length; i++) {
    for (const [v, view] of views.entries()) {
      values.set(view.subarray(i * length, (i + 1) * length), (i * views.length + v) * length);
    }
  }
  const labels = labelsAt(dataset.labels, indices);
  return { position, epoch, remaining, indices, sampleShape: [views.length, ...dataset.sampleShape], values, labels };
}
