import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { WeirError } from '../flow/errors.js';
import { loadPipeline } from '../run/pipeline-module.js';
import { resumable } from '../run/process.js';
import { logDamage } from '../run/run-log.js';
import { holderOf } from '../storage/lock.js';
import { type PlannedNetwork, RunFolder } from '../storage/run-folder.js';
import { beginWith, startOfJob } from './baselines.js';
import type { ClaimedJob, Executor, JobStatus } from './executors/executor.js';
import type { Job } from './jobs.js';
import type { AttemptResult, JobEntry, Ledger } from './ledger.js';
import { otherValue, refuseOther } from './plan.js';

/** Whether the run in this folder is finished, with its report, and its log is intact. */
export function isFinished(path: string): boolean {
  if (!existsSync(join(path, 'report', 'report.html')) || !existsSync(join(path, 'config.json'))) return false;
  try {
    const run = RunFolder.open(path);
    const { networks } = run.started;
    const done = (networks ?? []).every(({ name }) => run.snapshots(name).list()[0]?.label === 'done');
    return done && logDamage(run) === undefined;
  } catch (error) {
    if (error instanceof WeirError) return false; // the process that resumes the run reports what is wrong
    throw error;
  }
}

/**
 * Whether the run in this folder has begun: it has a snapshot, a process works on it, or the sweep has not attempted it, so that it is of others.
 * Where an attempt ended before its first snapshot nothing would be lost, so it may be begun anew with other values.
 *
 * @param attempts of the sweep to run it, before this one
 */
export function hasBegun(path: string, attempts: number): boolean {
  if (!existsSync(join(path, 'config.json'))) return false;
  return attempts === 0 || existsSync(join(path, 'snapshots')) || holderOf(path)?.alive === true;
}

/** A text that names the newest snapshot of each network; it changes whenever the run has a new snapshot. */
export function snapshotsOf(path: string): string {
  const run = opened(path);
  if (run === undefined) return '';
  return (run.started.networks ?? []).flatMap(({ name }: PlannedNetwork) => newest(run, name)).join(' ');
}

/** The run in a folder; undefined where there is none, or it is damaged: its own process reports that, and other jobs go on. */
function opened(path: string): RunFolder | undefined {
  if (!existsSync(join(path, 'config.json'))) return undefined;
  try {
    return RunFolder.open(path);
  } catch (error) {
    if (error instanceof WeirError) return undefined;
    throw error;
  }
}

function newest(run: RunFolder, network: string): string[] {
  const all = run.snapshots(network).list();
  const { label } = all.reduce((last, one) => (one.sequence > last.sequence ? one : last), { sequence: 0, label: '0' });
  return label === '0' ? [] : [`${network} ${label}`]; // before the first update there is no progress
}

/** How an attempt ended: by its exit status where that is known, else by its folder. */
function endingOf(
  { folder, entry }: Pick<ClaimedJob, 'folder' | 'entry'>,
  end: Exclude<JobStatus, { readonly state: 'running' }>,
  log: string,
): AttemptResult {
  if (isFinished(folder)) return { state: 'done' };
  if (end.state === 'cancelled') return { state: 'cancelled', reason: end.reason };
  const barren = snapshotsOf(folder) === entry.lease?.snapshots;
  if (end.state === 'ended') {
    const { status, signal, reason, hopeless = false } = end;
    if (status === resumable) return { state: 'waiting', barren, reason: reason ?? 'stopped' };
    if (status !== null) return { state: 'failed', reason: reason ?? failureOf(folder, status, log) };
    if (hopeless && barren) return { state: 'failed', ...(reason !== undefined && { reason }) };
    return { state: 'waiting', barren, reason: `killed by ${signal}` };
  }
  const failure = opened(folder)?.failure;
  if (failure !== undefined) return { state: 'failed', reason: failure.message };
  return { state: 'waiting', ...(!barren && { barren }), reason: end.reason };
}

function failureOf(folder: string, status: number, log: string): string {
  const noted = opened(folder)?.failure?.message;
  if (noted !== undefined) return noted;
  if (status === 0) return 'it ended with status 0, but its run is not finished';
  const lines = existsSync(log) ? stripVTControlCharacters(readFileSync(log, 'utf8')).trim().split('\n') : [];
  const last = lines.findLast((line) => line.startsWith('weir:')) ?? lines.at(-1);
  return `exit status ${status}${last === undefined || last === '' ? '' : `: ${last.replace(/^weir: /, '')}`}`;
}

/**
 * Makes the folder of a job's run, or checks the one that exists; it overwrites nothing that has a snapshot.
 *
 * @param attempts of the sweep to run it, with this one @param baseline the folder of the job that trains networks for this one
 * @returns 'finished' where the run is done already
 * @throws {WeirError} where the folder holds a run of other values
 */
export async function prepare(
  job: Job,
  path: string,
  attempts: number,
  baseline?: string,
): Promise<'ready' | 'finished'> {
  const { module, pipeline, seed, config } = job;
  if (existsSync(join(path, 'config.json')) && !hasBegun(path, attempts - 1)) {
    const { started } = RunFolder.open(path);
    if (otherValue(started, { pipeline, seed, config }) !== undefined) rmSync(path, { recursive: true });
  }
  if (!existsSync(join(path, 'config.json'))) {
    const wired = await loadPipeline(module);
    const start = startOfJob(job, wired, baseline);
    if (baseline === undefined) RunFolder.create(path, start);
    else await beginWith(baseline, path, wired, start);
    return 'ready';
  }
  const run = RunFolder.open(path);
  refuseOther(path, run.started, { pipeline, seed, config });
  if (isFinished(path)) return 'finished';
  run.failure = undefined; // the failure of an earlier attempt
  return 'ready';
}

export interface SchedulerOptions {
  readonly jobs: readonly Job[];
  readonly ledger: Ledger;
  readonly executor: Executor;
  /** Whether other jobs go on after one has failed. */
  readonly keepGoing: boolean;
  readonly folderOf: (job: Job) => string;
  readonly logOf: (job: Job) => string;
  /** Called with the entries of all jobs, about once a second. */
  readonly watch: (entries: ReadonlyMap<string, JobEntry>) => void;
  readonly note: (line: string) => void;
}

/** 'done': all jobs are. 'stopped': on request, to be resumed. 'failed': some jobs failed or were cancelled, and no other is left. */
export type SweepOutcome = 'done' | 'stopped' | 'failed';

const heartbeatEvery = 15_000; // milliseconds

/**
 * Brings the jobs of a sweep to their end: claims those that may start, starts as many as fit, and notes how they end.
 *
 * Any number of processes may work on one sweep at once: the ledger gives each job to one of them. The jobs of a killed process are taken
 * over: those that still run go on, the others wait again, to be resumed from their newest snapshot.
 */
export class Scheduler {
  private readonly claimed = new Map<string, ClaimedJob>();
  private stopping = false;
  private failing = false;
  private stopSent = false;
  private heartbeatAt = 0;
  private noted: string | undefined;

  constructor(private readonly options: SchedulerOptions) {}

  /** Starts no further job, and stops the running ones at their next barrier. */
  stop(): void {
    this.stopping = true;
  }

  async run(): Promise<SweepOutcome> {
    const { jobs, ledger, executor, watch } = this.options;
    for (;;) {
      for (const [job, entry] of ledger.takeOver(jobs)) this.hold(job, entry);
      await this.settleEnded();
      if (this.stopping && executor.onStop === 'leave' && !this.failing) return 'stopped';
      if (this.stopping || this.failing) await this.askToStop();
      else await this.startMore();
      this.sendHeartbeat();
      const entries = ledger.all(jobs);
      watch(entries);
      if (this.claimed.size === 0) {
        const over = this.ended(entries);
        if (over !== undefined) return over;
      }
      await executor.wait();
    }
  }

  private sendHeartbeat(): void {
    const now = performance.now();
    if (this.claimed.size === 0 || now - this.heartbeatAt < heartbeatEvery) return;
    this.heartbeatAt = now;
    this.options.ledger.heartbeat(
      [...this.claimed.values()].map(({ job, entry }) => [job.name, entry.attempts] as const),
    );
  }

  /** How the sweep ended; undefined while there is something to do or to wait for. */
  private ended(entries: ReadonlyMap<string, JobEntry>): SweepOutcome | undefined {
    const states = [...entries.values()].map(({ state }) => state);
    if (states.every((state) => state === 'done')) return 'done';
    if (this.failing) return 'failed';
    if (this.stopping) return 'stopped';
    if (states.includes('running')) return undefined; // other processes of the sweep hold these; should one die, its jobs are taken over
    return this.options.jobs.some((job) => this.mayStart(job, entries)) ? undefined : 'failed';
  }

  private mayStart({ name, after }: Job, entries: ReadonlyMap<string, JobEntry>): boolean {
    return entries.get(name)?.state === 'waiting' && after.every((one) => entries.get(one)?.state === 'done');
  }

  private async startMore(): Promise<void> {
    const { jobs, ledger, executor, folderOf } = this.options;
    const capacity = executor.capacity - this.claimed.size;
    if (capacity <= 0) return;
    const ready: ClaimedJob[] = [];
    for (const [job, entry] of ledger.claim(jobs, capacity, (job) => snapshotsOf(folderOf(job)))) {
      const held = this.hold(job, entry);
      try {
        const baseline = jobs.find(({ name }) => name === job.takes?.job);
        if ((await prepare(job, held.folder, entry.attempts, baseline && folderOf(baseline))) === 'ready')
          ready.push(held);
        else this.settle(held, { state: 'done' });
      } catch (error) {
        this.settle(held, { state: 'failed', reason: (error as Error).message });
      }
    }
    if (ready.length === 0) return;
    try {
      await executor.start(ready, ({ job, entry }, location) => {
        ledger.locate(job.name, entry.attempts, location);
        this.hold(job, { ...entry, lease: { ...entry.lease!, location } });
      });
    } catch (error) {
      await this.settleEnded().catch(() => undefined); // jobs that were not started wait again
      throw error;
    }
  }

  private async settleEnded(): Promise<void> {
    const all = [...this.claimed.values()];
    if (all.length === 0) return;
    for (const [i, status] of (await this.options.executor.poll(all)).entries()) this.see(all[i]!, status);
  }

  private see(held: ClaimedJob, status: JobStatus): void {
    const { ledger, logOf, note } = this.options;
    const { job, entry } = held;
    if (status.state === 'running' && status.note !== undefined && status.note !== this.noted) {
      this.noted = status.note;
      note(status.note);
    }
    if (status.state !== 'running') {
      this.settle(held, endingOf(held, status, logOf(job)));
    } else if (status.location !== undefined) {
      ledger.locate(job.name, entry.attempts, status.location);
      this.hold(job, { ...entry, lease: { ...entry.lease!, location: status.location } });
    }
  }

  private settle({ job, entry }: ClaimedJob, ending: AttemptResult): void {
    const { ledger, keepGoing, note } = this.options;
    this.claimed.delete(job.name);
    const result: AttemptResult = this.stopSent && ending.state !== 'done' ? stoppedBySweep(ending) : ending;
    if (!ledger.settle(job.name, entry.attempts, result)) return;
    if (ending.state !== 'failed') return;
    note(`${job.name} failed: ${ending.reason}`);
    if (!keepGoing) this.failing = true;
  }

  private async askToStop(): Promise<void> {
    if (this.stopSent) return;
    this.stopSent = true;
    await this.options.executor.stop([...this.claimed.values()]);
  }

  private hold(job: Job, entry: JobEntry): ClaimedJob {
    const held = { job, folder: this.options.folderOf(job), entry };
    this.claimed.set(job.name, held);
    return held;
  }
}

/** The result of an attempt that the sweep stopped: the job waits again, and the attempt does not count as barren; a failure stays one. */
function stoppedBySweep({ state, reason, barren }: AttemptResult): AttemptResult {
  if (state === 'failed') return { state, ...(reason !== undefined && { reason }) };
  return { state: 'waiting', ...(barren === false && { barren }) };
}
