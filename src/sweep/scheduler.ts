import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { WeirError } from '../flow/errors.js';
import { loadPipeline } from '../run/pipeline-module.js';
import { logDamage } from '../run/run-log.js';
import { resumable } from '../run/session.js';
import { type PlannedNetwork, plannedNetworks, RunFolder } from '../storage/run-folder.js';
import type { ClaimedJob, Executor, JobStatus } from './executors/executor.js';
import type { Job } from './jobs.js';
import type { AttemptResult, JobEntry, Ledger } from './ledger.js';
import { refuseOther } from './plan.js';

/** Whether the run in this folder is done to the last: all its networks, and its report; and none of it is damaged. */
export function isFinished(path: string): boolean {
  if (!existsSync(join(path, 'report', 'report.html')) || !existsSync(join(path, 'config.json'))) return false;
  try {
    const run = RunFolder.open(path);
    const { networks } = run.started;
    const done = (networks ?? []).every(({ name }) => run.snapshots(name).list()[0]?.label === 'done');
    return done && logDamage(run) === undefined;
  } catch (error) {
    if (error instanceof WeirError) return false; // whoever goes on with it says what is wrong
    throw error;
  }
}

/** After which updates the newest snapshots of a run were written, in a word that changes whenever the run has come further. */
export function snapshotsOf(path: string): string {
  const run = opened(path);
  if (run === undefined) return '';
  return (run.started.networks ?? []).flatMap(({ name }: PlannedNetwork) => newest(run, name)).join(' ');
}

/** The run in a folder; undefined where there is none, or a damaged one: its own process says so, and other jobs go on. */
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
  return label === '0' ? [] : [`${network} ${label}`]; // before the first update nothing is gained
}

/** How the attempt ended, by its exit status where that is known, else by what its folder holds. */
export function endingOf(
  { folder, entry }: Pick<ClaimedJob, 'folder' | 'entry'>,
  standing: Exclude<JobStatus, { readonly state: 'running' }>,
  log: string,
): AttemptResult {
  if (isFinished(folder)) return { state: 'done' };
  if (standing.state === 'cancelled') return { state: 'cancelled', reason: standing.reason };
  const barren = snapshotsOf(folder) === entry.lease?.snapshots;
  if (standing.state === 'ended') {
    const { status, signal, reason, hopeless = false } = standing;
    if (status === resumable) return { state: 'waiting', barren, reason: reason ?? 'stopped' };
    if (status !== null) return { state: 'failed', reason: reason ?? failureOf(folder, status, log) };
    if (hopeless && barren) return { state: 'failed', ...(reason !== undefined && { reason }) };
    return { state: 'waiting', barren, reason: `killed by ${signal}` };
  }
  const failure = opened(folder)?.failure;
  if (failure !== undefined) return { state: 'failed', reason: failure.message };
  return { state: 'waiting', ...(!barren && { barren }), reason: standing.reason };
}

function failureOf(folder: string, status: number, log: string): string {
  const noted = opened(folder)?.failure?.message;
  if (noted !== undefined) return noted;
  if (status === 0) return 'it ended as if it were done, but its folder does not hold all of it';
  const lines = existsSync(log) ? stripVTControlCharacters(readFileSync(log, 'utf8')).trim().split('\n') : [];
  const said = lines.findLast((line) => line.startsWith('weir:')) ?? lines.at(-1);
  return `exit status ${status}${said === undefined || said === '' ? '' : `: ${said.replace(/^weir: /, '')}`}`;
}

/**
 * Makes the folder of a job's run, or opens the one that is there; nothing in it is written over.
 *
 * @returns 'finished' where the run is done already
 * @throws {WeirError} when it holds a run of other values
 */
export async function prepare(
  { module, files, pipeline, setting, seed, config }: Job,
  path: string,
): Promise<'ready' | 'finished'> {
  if (!existsSync(join(path, 'config.json'))) {
    const networks = plannedNetworks((await loadPipeline(module)).networks(config, seed), config);
    RunFolder.create(path, { module, pipeline, seed, config, setting, networks, ...(files && { files }) });
    return 'ready';
  }
  const run = RunFolder.open(path);
  refuseOther(path, run.started, { pipeline, seed, config });
  if (isFinished(path)) return 'finished';
  run.failure = undefined; // what ended an attempt before says nothing of this one
  return 'ready';
}

export interface SchedulerOptions {
  readonly jobs: readonly Job[];
  readonly ledger: Ledger;
  readonly executor: Executor;
  /** Whether other jobs go on when one has failed. */
  readonly keepGoing: boolean;
  readonly folderOf: (job: Job) => string;
  readonly logOf: (job: Job) => string;
  /** Told where all jobs stand, about once a second. */
  readonly watch: (entries: ReadonlyMap<string, JobEntry>) => void;
  readonly note: (line: string) => void;
}

/** 'done': every job is. 'stopped': asked to, it can go on. 'failed': a job failed or was cancelled, and nothing else is left to do. */
export type SweepOutcome = 'done' | 'stopped' | 'failed';

const between = 15_000; // milliseconds from one word that it lives to the next

/**
 * Brings the jobs of a sweep to their end: claims those that may start, starts as many as fit, sees how they end.
 *
 * Any number of processes may drive one sweep at once: the ledger gives a job to one of them. Whatever a killed one left is taken
 * over, goes on if it still runs, and else waits again, to be resumed from its newest snapshot.
 */
export class Scheduler {
  private readonly held = new Map<string, ClaimedJob>();
  private stopping = false;
  private failing = false;
  private asked = false;
  private beaten = 0;
  private noted: string | undefined;

  constructor(private readonly driving: SchedulerOptions) {}

  /** Starts no further job, and asks those under way to stop at their next snapshot. */
  stop(): void {
    this.stopping = true;
  }

  async run(): Promise<SweepOutcome> {
    const { jobs, ledger, executor, watch } = this.driving;
    for (;;) {
      for (const [job, entry] of ledger.takeOver(jobs)) this.hold(job, entry);
      await this.settleEnded();
      if (this.stopping && executor.onStop === 'leave' && !this.failing) return 'stopped';
      if (this.stopping || this.failing) await this.askToStop();
      else await this.startMore();
      this.beat();
      const entries = ledger.all(jobs);
      watch(entries);
      if (this.held.size === 0) {
        const over = this.ended(entries);
        if (over !== undefined) return over;
      }
      await executor.pause();
    }
  }

  private beat(): void {
    const now = performance.now();
    if (this.held.size === 0 || now - this.beaten < between) return;
    this.beaten = now;
    this.driving.ledger.beat([...this.held.values()].map(({ job, entry }) => [job.name, entry.attempts] as const));
  }

  /** How it ended, where nothing is left to do or to wait for. */
  private ended(entries: ReadonlyMap<string, JobEntry>): SweepOutcome | undefined {
    const states = [...entries.values()].map(({ state }) => state);
    if (states.every((state) => state === 'done')) return 'done';
    if (this.failing) return 'failed';
    if (this.stopping) return 'stopped';
    if (states.includes('running')) return undefined; // another process of the sweep has them; should it die, they are ours
    return this.driving.jobs.some((job) => this.mayStart(job, entries)) ? undefined : 'failed';
  }

  private mayStart({ name, after }: Job, entries: ReadonlyMap<string, JobEntry>): boolean {
    return entries.get(name)?.state === 'waiting' && after.every((one) => entries.get(one)?.state === 'done');
  }

  private async startMore(): Promise<void> {
    const { jobs, ledger, executor, folderOf } = this.driving;
    const room = executor.room - this.held.size;
    if (room <= 0) return;
    const ready: ClaimedJob[] = [];
    for (const [job, entry] of ledger.claim(jobs, room, (job) => snapshotsOf(folderOf(job)))) {
      const held = this.hold(job, entry);
      try {
        if ((await prepare(job, held.folder)) === 'ready') ready.push(held);
        else this.settle(held, { state: 'done' });
      } catch (error) {
        this.settle(held, { state: 'failed', reason: (error as Error).message });
      }
    }
    if (ready.length === 0) return;
    try {
      await executor.start(ready, ({ job, entry }, place) => {
        ledger.placed(job.name, entry.attempts, place);
        this.hold(job, { ...entry, lease: { ...entry.lease!, place } });
      });
    } catch (error) {
      await this.settleEnded().catch(() => undefined); // those that were not started wait again
      throw error;
    }
  }

  private async settleEnded(): Promise<void> {
    const all = [...this.held.values()];
    if (all.length === 0) return;
    for (const [i, standing] of (await this.driving.executor.look(all)).entries()) this.see(all[i]!, standing);
  }

  private see(held: ClaimedJob, standing: JobStatus): void {
    const { ledger, logOf, note } = this.driving;
    const { job, entry } = held;
    if (standing.state === 'running' && standing.note !== undefined && standing.note !== this.noted) {
      this.noted = standing.note;
      note(standing.note);
    }
    if (standing.state !== 'running') {
      this.settle(held, endingOf(held, standing, logOf(job)));
    } else if (standing.place !== undefined) {
      ledger.placed(job.name, entry.attempts, standing.place);
      this.hold(job, { ...entry, lease: { ...entry.lease!, place: standing.place } });
    }
  }

  private settle({ job, entry }: ClaimedJob, ending: AttemptResult): void {
    const { ledger, keepGoing, note } = this.driving;
    this.held.delete(job.name);
    // One that stopped because it was asked to is not one that gets nowhere.
    const fair: AttemptResult = this.asked && ending.state !== 'done' ? stoppedBySweep(ending) : ending;
    if (!ledger.settle(job.name, entry.attempts, fair)) return;
    if (ending.state !== 'failed') return;
    note(`${job.name} failed: ${ending.reason}`);
    if (!keepGoing) this.failing = true;
  }

  private async askToStop(): Promise<void> {
    if (this.asked) return;
    this.asked = true;
    await this.driving.executor.stop([...this.held.values()]);
  }

  private hold(job: Job, entry: JobEntry): ClaimedJob {
    const held = { job, folder: this.driving.folderOf(job), entry };
    this.held.set(job.name, held);
    return held;
  }
}

/** A job that the sweep itself has stopped waits again, and is not one that gets nowhere; one that failed has failed all the same. */
function stoppedBySweep({ state, reason, barren }: AttemptResult): AttemptResult {
  if (state === 'failed') return { state, ...(reason !== undefined && { reason }) };
  return { state: 'waiting', ...(barren === false && { barren }) };
}
