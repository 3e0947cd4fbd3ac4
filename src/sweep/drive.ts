import type { Ending, Entry } from './entry.js';
import type { Executor, Held, Standing } from './executors/executor.js';
import type { Job } from './job.js';
import { endingOf, snapshotsOf } from './outcome.js';
import { prepare } from './prepare.js';
import type { Ledger } from './sweep-ledger.js';

export interface SchedulerOptions {
  readonly jobs: readonly Job[];
  readonly ledger: Ledger;
  readonly executor: Executor;
  /** Whether other jobs go on when one has failed. */
  readonly keepGoing: boolean;
  readonly folderOf: (job: Job) => string;
  readonly logOf: (job: Job) => string;
  /** Told where all jobs stand, about once a second. */
  readonly watch: (entries: ReadonlyMap<string, Entry>) => void;
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
  private readonly held = new Map<string, Held>();
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
  private ended(entries: ReadonlyMap<string, Entry>): SweepOutcome | undefined {
    const states = [...entries.values()].map(({ state }) => state);
    if (states.every((state) => state === 'done')) return 'done';
    if (this.failing) return 'failed';
    if (this.stopping) return 'stopped';
    if (states.includes('running')) return undefined; // another process of the sweep has them; should it die, they are ours
    return this.driving.jobs.some((job) => this.mayStart(job, entries)) ? undefined : 'failed';
  }

  private mayStart({ name, after }: Job, entries: ReadonlyMap<string, Entry>): boolean {
    return entries.get(name)?.state === 'waiting' && after.every((one) => entries.get(one)?.state === 'done');
  }

  private async startMore(): Promise<void> {
    const { jobs, ledger, executor, folderOf } = this.driving;
    const room = executor.room - this.held.size;
    if (room <= 0) return;
    const ready: Held[] = [];
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

  private see(held: Held, standing: Standing): void {
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

  private settle({ job, entry }: Held, ending: Ending): void {
    const { ledger, keepGoing, note } = this.driving;
    this.held.delete(job.name);
    // One that stopped because it was asked to is not one that gets nowhere.
    const fair: Ending = this.asked && ending.state !== 'done' ? stoppedBySweep(ending) : ending;
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

  private hold(job: Job, entry: Entry): Held {
    const held = { job, folder: this.driving.folderOf(job), entry };
    this.held.set(job.name, held);
    return held;
  }
}

/** A job that the sweep itself has stopped waits again, and is not one that gets nowhere; one that failed has failed all the same. */
function stoppedBySweep({ state, reason, barren }: Ending): Ending {
  if (state === 'failed') return { state, ...(reason !== undefined && { reason }) };
  return { state: 'waiting', ...(barren === false && { barren }) };
}
