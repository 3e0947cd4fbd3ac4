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

const usualMemory = 2 ** 30; // bytes of a job, where none are given

/**
 * How many jobs fit on this machine at once: as many as its cores and its free memory hold, at least one.
 *
 * The number of threads of a job stays as it is, so its results do not depend on how many jobs run beside it.
 *
 * @param threads of one job @param memory bytes of one job
 */
export function jobsThatFit(threads: number, memory = usualMemory): number {
  const free = process.availableMemory?.() ?? freemem();
  return Math.max(1, Math.min(Math.floor(availableParallelism() / threads), Math.floor(free / memory)));
}

/** Threads of a job where `jobs` of them run at once: `WEIR_THREADS`, else an even share of the cores. */
export const threadsFor = (jobs: number): number =>
  Number(process.env.WEIR_THREADS) || Math.max(1, Math.floor(availableParallelism() / jobs));

const command = join(import.meta.dirname, '../../cli/weir.js');
const interval = 1000; // milliseconds between two polls of jobs that are no children of this process; children report at once

export interface LocalOptions {
  readonly capacity: number;
  readonly threads?: number;
  /** Arguments for `weir resume`. */
  readonly options?: readonly string[];
  readonly log: (held: ClaimedJob) => string;
}

/**
 * Runs each job as a process of this machine: `weir resume` in its folder, which is locked to one process.
 *
 * A job whose sweep was killed stops at its next snapshot, for its channel to the sweep has closed. Another process of the sweep that
 * comes earlier waits for that, and then resumes the job.
 */
export class LocalProcesses implements Executor {
  readonly onStop = 'stop';
  readonly capacity: number;
  private readonly children = new Map<string, { readonly child: ChildProcess; readonly mark: ProcessId }>();
  private readonly ended = new Map<string, JobStatus>();
  private wake: () => void = () => undefined;

  constructor(private readonly settings: LocalOptions) {
    this.capacity = settings.capacity;
  }

  async start(
    held: readonly ClaimedJob[],
    located: (held: ClaimedJob, location: { kind: 'process'; mark: ProcessId }) => void,
  ): Promise<void> {
    for (const one of held) {
      const mark = this.spawn(one);
      if (mark !== undefined) located(one, { kind: 'process', mark });
    }
  }

  async poll(held: readonly ClaimedJob[]): Promise<JobStatus[]> {
    return held.map((one) => {
      const { name } = one.job;
      const holder = holderOf(one.folder);
      const own = this.ended.get(name);
      if (own !== undefined) {
        this.ended.delete(name);
        // Its folder belongs to a process that an earlier sweep started: that process is the job now.
        if (holder?.alive !== true) return own;
      }
      if (this.children.has(name)) return { state: 'running' };
      if (holder?.alive === true) return { state: 'running', location: { kind: 'process', mark: holder.mark } };
      const location = one.entry.lease?.location;
      if (location?.kind === 'slurm') {
        throw new WeirError(
          `job '${name}' was submitted to Slurm (${location.id ?? location.batch})`,
          'go on with --executor slurm, or cancel it with scancel first',
        );
      }
      if (location?.kind === 'process' && isAlive(location.mark, { ownDisk: true }) === true)
        return { state: 'running' }; // it has not locked its folder yet
      return { state: 'gone', reason: 'killed' };
    });
  }

  async wait(): Promise<void> {
    if (this.ended.size > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, interval);
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

  /** Starts one job. @returns its process; undefined where it could not be started, which the next poll reports */
  private spawn(one: ClaimedJob): ProcessId | undefined {
    const { name } = one.job;
    const { threads, options = [] } = this.settings;
    const { FORCE_COLOR: _, ...env } = process.env; // the output goes into a file
    const log = openSync(this.settings.log(one), 'a');
    try {
      const child = spawn(process.execPath, [command, 'resume', one.folder, ...options], {
        // Detached: a Ctrl-C in the terminal reaches the sweep alone, which stops its jobs once.
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

/** Runs one job in this process, to its end or to a stop. */
export type JobRunner = (folder: RunFolder, pipeline: Pipeline, stopped: () => boolean) => Promise<'done' | 'stopped'>;

/** Runs jobs in this process, one after another, with its terminal and its monitor. */
export class InProcess implements Executor {
  readonly onStop = 'stop';
  readonly capacity = 1;
  /** The error of the job that failed. */
  failure: unknown;
  private job: string | undefined;
  private result: JobStatus | undefined;
  private over: Promise<void> = Promise.resolve();
  private stopped = false;
  private readonly others = new LocalProcesses({ capacity: 0, log: () => '' });

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

  async poll(held: readonly ClaimedJob[]): Promise<JobStatus[]> {
    const own = this.result ?? { state: 'running' };
    const others = await this.others.poll(held); // jobs that an earlier process of the sweep started
    return held.map(({ job }, i) => (job.name === this.job ? own : others[i]!));
  }

  async wait(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.over, new Promise((resolve) => (timer = setTimeout(resolve, interval)))]);
    clearTimeout(timer);
    if (this.result !== undefined || this.job === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async stop(): Promise<void> {
    this.stopped = true; // the running job receives the signal itself
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
