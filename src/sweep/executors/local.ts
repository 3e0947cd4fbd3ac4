import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { join } from 'node:path';
import { WeirError } from '../../flow/errors.js';
import type { Pipeline } from '../../run/pipeline.js';
import { loadPipeline } from '../../run/pipeline-module.js';
import { resumable } from '../../run/process.js';
import { holderOf } from '../../storage/lock.js';
import { isAlive, type ProcessId, processIdOf } from '../../storage/process-id.js';
import { RunFolder } from '../../storage/run-folder.js';
import type { ClaimedJob, Executor, JobStatus } from './executor.js';

const most = 2 ** 30; // bytes that a job is taken to need where nobody says

/**
 * How many jobs of so many threads fit on this machine at once: as many as its cores and its free memory hold, one at least.
 *
 * Threads are a job's own and stay as they are, so how many jobs run beside it changes nothing in what it computes.
 */
export function jobsThatFit({
  threads,
  memory = most,
}: {
  readonly threads: number /** bytes */;
  readonly memory?: number;
}): number {
  const free = process.availableMemory?.() ?? freemem();
  return Math.max(1, Math.min(Math.floor(availableParallelism() / threads), Math.floor(free / memory)));
}

/** How many threads a job has, where so many run at once and nobody says: `WEIR_THREADS`, else its share of the cores. */
export const threadsFor = (jobs: number): number =>
  Number(process.env.WEIR_THREADS) || Math.max(1, Math.floor(availableParallelism() / jobs));

const command = join(import.meta.dirname, '../../cli/weir.js');
const look = 1000; // milliseconds between two looks at jobs that are not children of this process; those report at once

export interface LocalOptions {
  readonly room: number;
  readonly threads?: number;
  /** Handed on to `weir resume`. */
  readonly options?: readonly string[];
  readonly log: (held: ClaimedJob) => string;
}

/**
 * Runs each job as a process of this machine: `weir resume` in its folder, which is locked to one process.
 *
 * A job whose sweep is gone, killed say, stops at its next snapshot by itself (its channel to the sweep has closed). Should another
 * process of the sweep come before that, it waits for it and then goes on.
 */
export class LocalProcesses implements Executor {
  readonly onStop = 'stop';
  readonly room: number;
  private readonly children = new Map<string, { readonly child: ChildProcess; readonly mark: ProcessId }>();
  private readonly ended = new Map<string, JobStatus>();
  private wake: () => void = () => undefined;

  constructor(private readonly settings: LocalOptions) {
    this.room = settings.room;
  }

  async start(
    held: readonly ClaimedJob[],
    placed: (held: ClaimedJob, place: { kind: 'process'; mark: ProcessId }) => void,
  ): Promise<void> {
    for (const one of held) {
      const mark = this.spawn(one);
      if (mark !== undefined) placed(one, { kind: 'process', mark });
    }
  }

  async look(held: readonly ClaimedJob[]): Promise<JobStatus[]> {
    return held.map((one) => {
      const { name } = one.job;
      const holder = holderOf(one.folder);
      const own = this.ended.get(name);
      if (own !== undefined) {
        this.ended.delete(name);
        // It found the folder in the hands of a process that an earlier sweep had started: that one is the job now.
        if (holder?.alive !== true) return own;
      }
      if (this.children.has(name)) return { state: 'running' };
      if (holder?.alive === true) return { state: 'running', place: { kind: 'process', mark: holder.mark } };
      const place = one.entry.lease?.place;
      if (place?.kind === 'slurm') {
        throw new WeirError(
          `job '${name}' is with Slurm (${place.id ?? place.batch})`,
          'go on with --executor slurm, or take it out with scancel first',
        );
      }
      if (place?.kind === 'process' && isAlive(place.mark, { ownDisk: true }) === true) return { state: 'running' }; // before it holds its folder
      return { state: 'gone', reason: 'killed' };
    });
  }

  async pause(): Promise<void> {
    if (this.ended.size > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, look);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async stop(held: readonly ClaimedJob[]): Promise<void> {
    for (const { job, folder } of held) {
      const own = this.children.get(job.name);
      if (own !== undefined) own.child.kill('SIGTERM');
      else {
        const other = holderOf(folder);
        if (other?.alive === true) process.kill(other.mark.pid, 'SIGTERM');
      }
    }
  }

  /** Starts one. @returns the process, or nothing where it could not be started, which is then how it ended */
  private spawn(one: ClaimedJob): ProcessId | undefined {
    const { name } = one.job;
    const { threads, options = [] } = this.settings;
    const { FORCE_COLOR: _, ...env } = process.env; // what it says goes into a file
    const log = openSync(this.settings.log(one), 'a');
    try {
      const child = spawn(process.execPath, [command, 'resume', one.folder, ...options], {
        // A group of its own: a Ctrl-C in the terminal reaches the sweep alone, which asks its jobs once.
        detached: true,
        stdio: ['ignore', log, log, 'ipc'],
        env: { ...env, NO_COLOR: '1', ...(threads !== undefined && { WEIR_THREADS: String(threads) }) },
      });
      child.on('error', (error) => this.end(name, { state: 'ended', status: 1, reason: error.message }));
      child.on('exit', (status, signal) => this.end(name, { state: 'ended', status, ...(signal && { signal }) }));
      const mark = child.pid === undefined ? undefined : processIdOf(child.pid);
      if (mark !== undefined) this.children.set(name, { child, mark });
      return mark;
    } finally {
      closeSync(log);
    }
  }

  private end(name: string, how: JobStatus): void {
    this.children.delete(name);
    this.ended.set(name, how);
    this.wake();
  }
}

/** Brings a run to its end in this process. */
export type JobRunner = (folder: RunFolder, pipeline: Pipeline, stopped: () => boolean) => Promise<'done' | 'stopped'>;

/** Runs jobs in this process, one after another: the terminal and the monitor are those of the run under way. */
export class InProcess implements Executor {
  readonly onStop = 'stop';
  readonly room = 1;
  /** Why the job that failed did. */
  failure: unknown;
  private job: string | undefined;
  private result: JobStatus | undefined;
  private over: Promise<void> = Promise.resolve();
  private stopped = false;
  private readonly others = new LocalProcesses({ room: 0, log: () => '' });

  constructor(private readonly work: JobRunner) {}

  async start(held: readonly ClaimedJob[]): Promise<void> {
    for (const one of held) {
      this.job = one.job.name;
      this.result = undefined;
      this.over = this.run(one).then((result) => {
        this.result = result;
      });
    }
  }

  async look(held: readonly ClaimedJob[]): Promise<JobStatus[]> {
    const mine = this.result ?? { state: 'running' };
    const others = await this.others.look(held); // jobs that an earlier process of the sweep had started
    return held.map(({ job }, i) => (job.name === this.job ? mine : others[i]!));
  }

  async pause(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.over, new Promise((resolve) => (timer = setTimeout(resolve, 1000)))]);
    clearTimeout(timer);
    if (this.result !== undefined || this.job === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async stop(): Promise<void> {
    this.stopped = true; // a run under way has heard the signal itself
  }

  private async run({ job, folder }: ClaimedJob): Promise<JobStatus> {
    try {
      const outcome = await this.work(RunFolder.open(folder), await loadPipeline(job.module), () => this.stopped);
      return { state: 'ended', status: outcome === 'done' ? 0 : resumable };
    } catch (error) {
      this.failure = error;
      return { state: 'ended', status: 1, reason: (error as Error)?.message ?? String(error) };
    }
  }
}
