import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ResourceLimits, threadId } from 'node:worker_threads';
import { move, Piscina } from 'piscina';
import { WeirError } from '../../flow/errors.js';
import { compiledCache } from '../../storage/folders.js';
import { type AnyDataset, type Dataset, sharedBytes, sharedFloats } from '../dataset.js';
import type { Recipe } from './recipe.js';
import { type EncodedPixels, type Pixels, type RenderKey, renderImages, renderViews } from './renderer.js';

/** Of a sample that ends each thread that takes it. @param patience milliseconds */
export const deadly = (
  { dataset, epoch }: { readonly dataset: AnyDataset; readonly epoch: number },
  index: number,
  tries: number,
  patience: number,
  cause: unknown,
): WeirError =>
  new WeirError(
    `sample ${index} of '${dataset.name}' ended ${tries} worker threads in epoch ${epoch}, or hung for ${patience / 1000} s: ${(cause as Error).message}`,
    'look at that sample, or leave ops out of the recipe to find which one it is',
    { cause },
  );

export const cannotStart = (cause: unknown): WeirError =>
  new WeirError(
    `the worker threads for augmentation do not start: ${(cause as Error).message}`,
    "run 'npx tsx workers/augment.ts' in Weir's folder to see the cause; a limit on threads or memory may be it too",
    { cause },
  );

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

export interface PoolOptions {
  /** Worker threads; by default one less than the processors, for the main thread trains. */
  readonly threads?: number | undefined;
  /** Milliseconds that one sample may take before its thread is held to hang. */
  readonly patience?: number | undefined;
  /** The file that worker threads run, and what they are told at the start; tests give workers that misbehave. */
  readonly worker?:
    | { readonly file: URL; readonly data?: unknown; readonly resourceLimits?: ResourceLimits }
    | undefined;
}

/** A block of samples to be rendered. */
export interface Job {
  readonly dataset: AnyDataset;
  readonly indices: Uint32Array;
  readonly epoch: number;
  readonly recipes: readonly Recipe[];
  readonly seed: number;
  readonly view?: number | undefined;
}

/** A task that is out, as the watch sees it. */
interface Watched {
  readonly progress: Int32Array;
  begun: number;
  still: number;
  fail(error: unknown): void;
}

/** How often a sample is tried that fails, or whose thread dies or hangs; and how often a block is that fell with its neighbor. */
const TRIES = 3;
const INNOCENT_TRIES = 10;

/** Milliseconds in which some thread must have started, if none is at work. */
const START = 60_000;

const WORKER = new URL('../../../workers/augment.ts', import.meta.url);

export const defaultThreads = (): number => Math.max(1, availableParallelism() - 1);

/**
 * What a worker thread does with a task; values change hands without a copy.
 *
 * Piscina starts all tasks that a thread has queued at once, and would post no answer before the last of them is done: the
 * turn of the event loop lets each answer out before the next task begins.
 */
export async function serve(task: Task, before?: (place: number) => void): Promise<unknown> {
  await setImmediate();
  const answer = await perform(task, threadId, before);
  return answer instanceof Float32Array ? move(answer) : answer;
}

/**
 * Worker threads that render blocks. The one place that knows piscina.
 *
 * Every thread has the next block queued before it ends this one, since the main thread may be inside a training step then.
 * The memory of a data set is shared, or where its images are, and results change hands without a copy.
 * Failure: a thread that dies, hangs or has no memory left is replaced and its blocks are run again, as is a block of which a sample
 * failed; a sample that fails, or takes a thread with it, `TRIES` times ends in an error with its index.
 */
export class AugmentPool {
  readonly threads: number;
  private readonly piscina: Piscina;
  private readonly patience: number;
  private readonly watch: NodeJS.Timeout;
  private readonly watched = new Set<Watched>();
  private readonly shared = new WeakMap<Dataset, Dataset['values']>();
  private silence = 0;
  private closed = false;

  constructor({ threads = defaultThreads(), patience = 30_000, worker = { file: WORKER } }: PoolOptions = {}) {
    if (!Number.isInteger(threads) || threads < 1) {
      throw new WeirError(`${threads} worker threads were asked for`, 'give a whole number from 1 on');
    }
    this.threads = threads;
    this.patience = patience;
    const loader = createRequire(import.meta.url).resolve('tsx/cjs'); // piscina requires its worker; found from wherever we run
    this.piscina = new Piscina({
      filename: fileURLToPath(worker.file),
      workerData: worker.data,
      ...(worker.resourceLimits && { resourceLimits: worker.resourceLimits }),
      execArgv: ['--require', loader],
      env: { ...(process.env as Record<string, string>), ...compiledCache() },
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 2,
      recordTiming: false,
    });
    this.piscina.on('error', (error) => {
      if (this.piscina.threads.length === 0) for (const entry of this.watched) entry.fail(cannotStart(error)); // none follow
    });
    this.watch = setInterval(() => this.look(), patience / 4).unref();
  }

  /** @returns [indices, ...sampleShape] */
  async run(job: Job, signal?: AbortSignal): Promise<Float32Array> {
    const failures = new Map<number | string, number>(); // of each sample: those of a block may all have their bad moment
    const failsFor = (what: number | string): boolean => {
      const before = failures.get(what) ?? 0;
      failures.set(what, before + 1);
      return before + 1 >= TRIES;
    };
    let innocent = 0;
    for (;;) {
      const progress = new Int32Array(new SharedArrayBuffer(12));
      try {
        const answer = await this.once(this.task(job, progress), signal);
        if (answer instanceof Float32Array) return answer;
        if (failsFor(answer.message)) throw new WeirError(answer.message, answer.remedy); // the message names the sample
      } catch (error) {
        if (error instanceof WeirError || this.closed || signal?.aborted) throw error;
        const begun = progress[cell.state] === state.done ? 0 : progress[cell.begun]!;
        if (begun > 0 && failsFor(begun)) throw deadly(job, job.indices[begun - 1]!, TRIES, this.patience, error);
        if (begun === 0 && ++innocent >= INNOCENT_TRIES) throw cannotStart(error);
      }
    }
  }

  private once(task: Task, signal?: AbortSignal): Promise<Answer> {
    const { progress } = task;
    const cancel = (): void => void Atomics.compareExchange(progress, cell.state, state.wanted, state.cancelled);
    return new Promise<Answer>((resolve, reject) => {
      signal?.throwIfAborted();
      signal?.addEventListener('abort', cancel);
      const entry: Watched = { progress, begun: -1, still: 0, fail: reject };
      this.watched.add(entry);
      const over = (): void => {
        this.watched.delete(entry);
        signal?.removeEventListener('abort', cancel);
      };
      (this.piscina.run(task) as Promise<Answer>).finally(over).then(resolve, reject);
    });
  }

  /** Ends all threads; what runs is rejected. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.watch);
    await this.piscina.destroy();
  }

  private task({ dataset, indices, epoch, recipes, seed, view }: Job, progress: Int32Array): Task {
    const { name, sampleShape } = dataset;
    const asked = { name, sampleShape, indices, epoch, recipes, seed, view, progress };
    return dataset.images ? { ...asked, images: dataset.images } : { ...asked, values: this.sharedValues(dataset) };
  }

  /** The values of a data set on shared memory: a copy, once, where somebody made them elsewhere. */
  private sharedValues(dataset: Dataset): Dataset['values'] {
    if (dataset.values.buffer instanceof SharedArrayBuffer) return dataset.values;
    let copy = this.shared.get(dataset);
    if (!copy) {
      const { length } = dataset.values;
      copy = dataset.values instanceof Uint8Array ? sharedBytes(length) : sharedFloats(length);
      copy.set(dataset.values);
      this.shared.set(dataset, copy);
    }
    return copy;
  }

  /**
   * Four looks at which nothing has moved are `patience`. Looks are counted, not time, so a main thread that was long away
   * sees first what has come meanwhile. Ending a thread fails its tasks, and `run` tries them again.
   */
  private look(): void {
    let working = false;
    for (const entry of this.watched) {
      const thread = Atomics.load(entry.progress, cell.thread);
      const begun = Atomics.load(entry.progress, cell.begun);
      if (thread === 0 || Atomics.load(entry.progress, cell.state) === state.done) continue;
      working = true;
      entry.still = begun === entry.begun ? entry.still + 1 : 0;
      entry.begun = begun;
      if (entry.still >= 4) this.end((id) => id === thread);
    }
    this.silence = this.watched.size > 0 && !working ? this.silence + 1 : 0;
    if (this.silence * (this.patience / 4) > START) {
      this.silence = 0;
      this.end(() => true); // nothing is taken up at all: threads that hang as they start
    }
  }

  private end(which: (threadId: number) => boolean): void {
    for (const thread of this.piscina.threads) if (which(thread.threadId)) void thread.terminate();
  }
}
