import { WeirError } from '../../flow/errors.js';
import type { Recipe } from './recipe.js';
import { type Pixels, type RenderKey, renderViews } from './render.js';
import { type EncodedPixels, renderImages } from './render-images.js';

/** What a worker is asked to do; the memory of `values`, `images` and `progress` is shared, all else is copied. */
export type Task = (Pixels | EncodedPixels) & Asked;

interface Asked extends RenderKey {
  readonly indices: Uint32Array;
  readonly recipes: readonly Recipe[];
  /** Three cells, see `cell`. */
  readonly progress: Int32Array;
}

/** What stands where in a task's `progress`: how the main thread learns what a worker was at when it died or hung. */
export const cell = {
  /** The worker's thread id, 0 before it took the task up. */
  thread: 0,
  /** Samples begun. */
  begun: 1,
  /** What the task is: see `state`. */
  state: 2,
} as const;

export const state = { wanted: 0, cancelled: 1, done: 2 } as const;

/** Why samples could not be had: an error loses its class between threads. */
export interface Failure {
  readonly message: string;
  readonly remedy: string | undefined;
}

export type Answer = Float32Array | Failure;

/**
 * Does a task in the thread `thread`, and says in its `progress` how far it is. Samples in memory are done when it returns.
 *
 * @param before is told of each sample, by its place in `indices`, before work on it begins: tests misbehave there
 */
export function perform(task: Task, thread: number, before?: (place: number) => void): Answer | Promise<Answer> {
  const { progress, indices, recipes } = task;
  const begin = (place: number): void => {
    Atomics.store(progress, cell.thread, thread);
    Atomics.store(progress, cell.begun, place + 1);
    if (Atomics.load(progress, cell.state) === state.cancelled) throw new Error('it is not wanted any more');
    before?.(place);
  };
  const done = (): void => void Atomics.store(progress, cell.state, state.done);
  if (task.images) return renderImages(task, indices, recipes, task, begin).catch(failure).finally(done);
  Atomics.store(progress, cell.thread, thread);
  try {
    return renderViews(task, indices, recipes, task, begin);
  } catch (error) {
    return failure(error);
  } finally {
    done();
  }
}

const failure = (error: unknown): Failure => ({
  message: (error as Error).message,
  remedy: error instanceof WeirError ? error.remedy : undefined,
});
