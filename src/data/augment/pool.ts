import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ResourceLimits, threadId } from 'node:worker_threads';
import { move, Piscina } from 'piscina';
import { WeirError } from '../../flow/errors.js';
import { extension, workerFile } from '../../storage/typescript.js';
import { compiledCache } from '../../surroundings/folders.js';
import { type AnyDataset, preparedDataset } from '../dataset.js';
import { learnOps, type OpModules, opModules } from './own-op.js';
import type { Recipe } from './recipes.js';
import { type EncodedPixels, type Pixels, type RenderKey, renderImages, renderViews } from './renderer.js';

/** The error for a sample that ended, or hung, each thread that rendered it. @param patience milliseconds */
const deadlySample = (
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

/** The error for worker threads that do not start. */
const cannotStart = (cause: unknown): WeirError =>
  new WeirError(
    `the worker threads for augmentation do not start: ${(cause as Error).message}`,
    'a limit on threads or memory may be the cause (`ulimit -u`, `ulimit -v`); a damaged package is another: install it again',
    { cause },
  );

/** A block of samples to render, as it crosses to a worker. The memory of `values`, `images` and `progress` is shared, the rest is copied. */
export type RenderTask = (Pixels | EncodedPixels) & RenderRequest;

interface RenderRequest extends RenderKey {
  readonly indices: Uint32Array;
  readonly recipes: readonly Recipe[];
  /** The modules of ops that are not Weir's own. */
  readonly modules: OpModules;
  /** Three cells, see `progressCell`. */
  readonly progress: Int32Array;
}

/** Cells of a task's `progress`. They tell the main thread which sample a worker rendered when it died or hung. */
const progressCell = {
  /** The worker's thread id; 0 before a worker takes the task. */
  thread: 0,
  /** Samples begun. */
  begun: 1,
  /** The task's state: see `taskState`. */
  state: 2,
} as const;

const taskState = { wanted: 0, cancelled: 1, done: 2 } as const;

/** A failure as plain data, for an error loses its class between threads. */
export interface RenderFailure {
  readonly message: string;
  readonly remedy: string | undefined;
}

export type RenderAnswer = Float32Array | RenderFailure;

/**
 * Renders a task in the thread `thread`, and counts its samples in `progress`. Samples in memory are done when it returns.
 *
 * @param before is called for each sample, with its position in `indices`, before it is rendered; tests misbehave there
 */
function perform(
  task: RenderTask,
  thread: number,
  before?: (position: number) => void,
): RenderAnswer | Promise<RenderAnswer> {
  const { progress, indices, recipes } = task;
  const begin = (position: number): void => {
    Atomics.store(progress, progressCell.thread, thread);
    Atomics.store(progress, progressCell.begun, position + 1);
    if (Atomics.load(progress, progressCell.state) === taskState.cancelled) throw new Error('the task was cancelled');
    before?.(position);
  };
  const done = (): void => void Atomics.store(progress, progressCell.state, taskState.done);
  if (task.images) return renderImages(task, indices, recipes, task, begin).catch(failure).finally(done);
  Atomics.store(progress, progressCell.thread, thread);
  try {
    return renderViews(task, indices, recipes, task, begin);
  } catch (error) {
    return failure(error);
  } finally {
    done();
  }
}

const failure = (error: unknown): RenderFailure => ({
  message: (error as Error).message,
  remedy: error instanceof WeirError ? error.remedy : undefined,
});

export interface PoolOptions {
  /** Worker threads; by default one less than the processors, for the main thread trains. */
  readonly threads?: number | undefined;
  /** Milliseconds that one sample may take; a thread that takes longer is ended. 30,000 by default. */
  readonly patience?: number | undefined;
  /** The file that worker threads run, and their `workerData`; tests give workers that misbehave. */
  readonly worker?:
    | { readonly file: URL; readonly data?: unknown; readonly resourceLimits?: ResourceLimits }
    | undefined;
}

/** A block of samples to render. */
export interface RenderJob {
  readonly dataset: AnyDataset;
  readonly indices: Uint32Array;
  readonly epoch: number;
  readonly recipes: readonly Recipe[];
  readonly seed: number;
  readonly view?: number | undefined;
}

/** A task that a worker has, or that waits for one. */
interface RunningTask {
  readonly progress: Int32Array;
  begun: number;
  /** Checks in a row that found no progress. */
  unchanged: number;
  fail(error: unknown): void;
}

/** Tries of a sample that fails, or whose thread dies or hangs; and of a block that was only queued in such a thread. */
const TRIES = 3;
const QUEUED_TRIES = 10;

/** Milliseconds in which some thread must start, if none works. */
const START_LIMIT = 60_000;

const WORKER = workerFile(`augment${extension()}`);

export const defaultThreads = (): number => Math.max(1, availableParallelism() - 1);

/**
 * Renders a task in a worker thread; the values move to the main thread without a copy.
 *
 * Piscina starts all queued tasks of a thread at once, and would post no answer before the last of them is done. A turn of the event loop
 * lets each answer out before the next task begins.
 */
export async function serve(task: RenderTask, before?: (position: number) => void): Promise<unknown> {
  await setImmediate();
  try {
    await learnOps(task.modules);
  } catch (error) {
    return failure(error);
  }
  const answer = await perform(task, threadId, before);
  return answer instanceof Float32Array ? move(answer) : answer;
}

/**
 * Worker threads that render blocks, by piscina.
 *
 * Every thread has its next block queued before it ends this one, since the main thread may be inside a training step by then.
 * Threads share the memory of a data set, or the locations of its images; results move without a copy.
 * Failure: a thread that dies, hangs or has no memory left is replaced and its blocks are run again, as is a block of which a sample
 * failed. A sample that fails, or ends its thread, `TRIES` times is an error that names its index.
 */
export class AugmentPool {
  readonly threads: number;
  private readonly piscina: Piscina;
  private readonly patience: number;
  private readonly watch: NodeJS.Timeout;
  private readonly watched = new Set<RunningTask>();
  /** Checks in a row that found no thread at work. */
  private idleChecks = 0;
  private closed = false;

  constructor({ threads = defaultThreads(), patience = 30_000, worker = { file: WORKER } }: PoolOptions = {}) {
    if (!Number.isInteger(threads) || threads < 1) {
      throw new WeirError(`${threads} worker threads were asked for`, 'give a whole number from 1 on');
    }
    this.threads = threads;
    this.patience = patience;
    const filename = fileURLToPath(worker.file);
    const loader = createRequire(import.meta.url).resolve('tsx/cjs'); // piscina requires its worker; found from wherever we run
    this.piscina = new Piscina({
      filename,
      workerData: worker.data,
      ...(worker.resourceLimits && { resourceLimits: worker.resourceLimits }),
      execArgv: extname(filename) === '.ts' ? ['--require', loader] : [],
      env: { ...(process.env as Record<string, string>), ...compiledCache() },
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 2,
      recordTiming: false,
    });
    this.piscina.on('error', (error) => {
      if (this.piscina.threads.length === 0) for (const entry of this.watched) entry.fail(cannotStart(error)); // piscina starts no other
    });
    this.watch = setInterval(() => this.checkProgress(), patience / 4).unref();
  }

  /** @returns [indices, ...sampleShape] */
  async run(job: RenderJob, signal?: AbortSignal): Promise<Float32Array> {
    const failures = new Map<number | string, number>(); // by sample, for a block may hold several that fail once
    const isLastTry = (what: number | string): boolean => {
      const before = failures.get(what) ?? 0;
      failures.set(what, before + 1);
      return before + 1 >= TRIES;
    };
    let unstarted = 0;
    for (;;) {
      const progress = new Int32Array(new SharedArrayBuffer(12));
      try {
        const answer = await this.runOnce(this.task(job, progress), signal);
        if (answer instanceof Float32Array) return answer;
        if (isLastTry(answer.message)) throw new WeirError(answer.message, answer.remedy); // the message names the sample
      } catch (error) {
        if (error instanceof WeirError || this.closed || signal?.aborted) throw error;
        const begun = progress[progressCell.state] === taskState.done ? 0 : progress[progressCell.begun]!;
        if (begun > 0 && isLastTry(begun))
          throw deadlySample(job, job.indices[begun - 1]!, TRIES, this.patience, error);
        if (begun === 0 && ++unstarted >= QUEUED_TRIES) throw cannotStart(error);
      }
    }
  }

  private runOnce(task: RenderTask, signal?: AbortSignal): Promise<RenderAnswer> {
    const { progress } = task;
    const cancel = (): void =>
      void Atomics.compareExchange(progress, progressCell.state, taskState.wanted, taskState.cancelled);
    return new Promise<RenderAnswer>((resolve, reject) => {
      signal?.throwIfAborted();
      signal?.addEventListener('abort', cancel);
      const entry: RunningTask = { progress, begun: -1, unchanged: 0, fail: reject };
      this.watched.add(entry);
      const finish = (): void => {
        this.watched.delete(entry);
        signal?.removeEventListener('abort', cancel);
      };
      (this.piscina.run(task) as Promise<RenderAnswer>).finally(finish).then(resolve, reject);
    });
  }

  /** Ends all threads; tasks that run are rejected. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.watch);
    await this.piscina.destroy();
  }

  private task({ dataset, indices, epoch, recipes, seed, view }: RenderJob, progress: Int32Array): RenderTask {
    const { name, sampleShape } = dataset;
    const asked = { name, sampleShape, indices, epoch, recipes, modules: opModules(recipes), seed, view, progress };
    return dataset.images
      ? { ...asked, images: dataset.images }
      : { ...asked, values: preparedDataset(dataset).values! };
  }

  /**
   * Ends a thread whose task made no progress at four checks in a row, which are `patience` apart from first to last. Checks are counted,
   * not time, so a main thread that was long inside a training step reads the progress first. `run` tries the failed tasks again.
   */
  private checkProgress(): void {
    let anyWorks = false;
    for (const entry of this.watched) {
      const thread = Atomics.load(entry.progress, progressCell.thread);
      const begun = Atomics.load(entry.progress, progressCell.begun);
      if (thread === 0 || Atomics.load(entry.progress, progressCell.state) === taskState.done) continue;
      anyWorks = true;
      entry.unchanged = begun === entry.begun ? entry.unchanged + 1 : 0;
      entry.begun = begun;
      if (entry.unchanged >= 4) this.end((id) => id === thread);
    }
    this.idleChecks = this.watched.size > 0 && !anyWorks ? this.idleChecks + 1 : 0;
    if (this.idleChecks * (this.patience / 4) > START_LIMIT) {
      this.idleChecks = 0;
      this.end(() => true); // no thread takes a task: all hang as they start
    }
  }

  private end(which: (threadId: number) => boolean): void {
    for (const thread of this.piscina.threads) if (which(thread.threadId)) void thread.terminate();
  }
}
