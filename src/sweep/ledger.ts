import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { open, type RootDatabase } from 'lmdb';
import { WeirError } from '../flow/errors.js';
import { makeFolder } from '../storage/folders.js';
import { networkFileSystem } from '../storage/lock.js';
import { isAlive, type ProcessId, thisProcess } from '../storage/process-id.js';

/** Where a job stands. 'running' is one that is held by a sweep's process: started, or on its way there. */
export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

/** Where a started job is: a process of this machine, or a task of an array of Slurm. Plain data. */
export type JobLocation =
  | { readonly kind: 'process'; readonly mark: ProcessId }
  | { readonly kind: 'slurm'; readonly batch: string; readonly index: number; readonly id?: string };

/** A line of the ledger. Plain data. */
export interface JobEntry {
  readonly state: JobState;
  /** How often it was started. Also the fence: who reports on an earlier attempt is not heard. */
  readonly attempts: number;
  /** Attempts in a row that were killed and left no newer snapshot than the one before. */
  readonly barren: number;
  /** Milliseconds since 1970. */
  readonly changed: number;
  readonly lease?: Lease;
  /** Of a running job: it is to be taken out when its attempt ends, unless it is done by then. */
  readonly cancel?: true;
  /** Why it failed, was cancelled, or waits again. */
  readonly reason?: string;
}

/** Who looks after a running job: a sweep's process, not the job's own. */
export interface Lease {
  readonly by: ProcessId;
  /** When it was last heard of, in milliseconds since 1970. */
  readonly beat: number;
  readonly place?: JobLocation;
  /** What the newest snapshots of the job were when it was started, so that a barren attempt is known. */
  readonly snapshots: string;
}

/** How an attempt ended. */
export interface AttemptResult {
  readonly state: Exclude<JobState, 'running'>;
  readonly reason?: string;
  /** Whether it left no newer snapshot though nobody of the sweep stopped it; none where that cannot be said. */
  readonly barren?: boolean;
}

/** After so many attempts in a row without a new snapshot a job has failed: whatever kills it would do so again. */
export const mostBarren = 5;

export const waiting: JobEntry = { state: 'waiting', attempts: 0, barren: 0, changed: 0 };

/** The entry after its attempt ended. */
export function entryAfter(entry: JobEntry, { reason, barren, ...ending }: AttemptResult, now: number): JobEntry {
  const { attempts, cancel } = entry;
  const state = cancel && ending.state === 'waiting' ? 'cancelled' : ending.state;
  const row = barren === undefined ? entry.barren : barren ? entry.barren + 1 : 0;
  const hopeless = state === 'waiting' && row >= mostBarren;
  const why = hopeless ? `${reason ?? 'ended'}, ${row} times without a new snapshot in between` : reason;
  return {
    ...{
      state: hopeless ? 'failed' : state,
      attempts,
      barren: state === 'waiting' && !hopeless ? row : 0,
      changed: now,
    },
    ...(why !== undefined && { reason: why }),
  };
}

/**
 * Refuses a folder for a ledger that several machines mount: locks and mapped memory are not shared over such file systems.
 *
 * @throws {WeirError} that names the file system
 */
export function refuseNetwork(folder: string, type?: (folder: string) => number): void {
  const name = networkFileSystem(folder, type);
  if (name === undefined) return;
  throw new WeirError(
    `the ledger ${folder} would lie on ${name}, over which processes cannot lock it`,
    'keep it on a disk of this machine: --ledger FOLDER',
  );
}

/** A job as the ledger sees it: its name, and those that must be done before it. */
export interface LedgerJob {
  readonly name: string;
  readonly after: readonly string[];
}

const silence = 5 * 60_000; // milliseconds after which the process of another machine, which cannot be asked, counts as gone

/**
 * Which jobs of a sweep wait, run and have ended: an LMDB database, so that every change is a transaction among all processes.
 *
 * A job is claimed under a lease; only the holder of its newest attempt is heard. A lease whose holder has died is taken over by
 * another process of the sweep, at once on the same machine. A process killed within a transaction leaves the one before.
 */
export class Ledger {
  private constructor(
    private readonly db: RootDatabase<unknown, string>,
    /** Who holds what this ledger claims. */
    readonly me: ProcessId,
    private readonly now: () => number,
  ) {}

  /** @param sweep the sweep's id @throws {WeirError} when the ledger is another sweep's, or its file system cannot hold one */
  static open(
    folder: string,
    sweep: string,
    { me = thisProcess(), now = Date.now }: { readonly me?: ProcessId; readonly now?: () => number } = {},
  ): Ledger {
    makeFolder(folder);
    refuseNetwork(folder);
    const file = join(folder, 'data.mdb');
    let db: RootDatabase<unknown, string>;
    try {
      refuseForeign(file);
      db = open<unknown, string>({ path: file, encoding: 'json', overlappingSync: false });
    } catch (cause) {
      throw new WeirError(
        `the ledger ${folder} cannot be opened: ${(cause as Error).message}`,
        'move it away: what the folders of its jobs hold is found again without it',
        { cause },
      );
    }
    db.readerCheck(); // gives back what killed processes held
    const is = db.transactionSync(() => {
      const known = db.get('sweep') as string | undefined;
      if (known === undefined) db.putSync('sweep', sweep);
      return known ?? sweep;
    });
    if (is === sweep) return new Ledger(db, me, now);
    void db.close();
    throw new WeirError(
      `the ledger ${folder} is of another sweep (${is}) than the folder it is used for (${sweep})`,
      'give each sweep a ledger of its own; without one, what the folders of the jobs hold is found again',
    );
  }

  /** Every job's entry; one that was never claimed is waiting. */
  all(jobs: readonly LedgerJob[]): Map<string, JobEntry> {
    return this.db.transactionSync(() => new Map(jobs.map(({ name }) => [name, this.entry(name)])));
  }

  /**
   * Makes waiting jobs this process's, in order, `room` at most: those whose forerunners are done.
   *
   * @param snapshots what the newest snapshots of a job are @returns the jobs with their new entries
   */
  claim<T extends LedgerJob>(
    jobs: readonly T[],
    room: number,
    snapshots: (job: T) => string = () => '',
  ): [T, JobEntry][] {
    return this.db.transactionSync(() => {
      const claimed: [T, JobEntry][] = [];
      for (const job of jobs) {
        if (claimed.length >= room) break;
        const { state, attempts, barren } = this.entry(job.name);
        if (state !== 'waiting' || job.after.some((name) => this.entry(name).state !== 'done')) continue;
        const lease = { by: this.me, beat: this.now(), snapshots: snapshots(job) };
        claimed.push([
          job,
          this.put(job.name, { state: 'running', attempts: attempts + 1, barren, changed: this.now(), lease }),
        ]);
      }
      return claimed;
    });
  }

  /** Notes where the attempt was started. */
  placed(name: string, attempt: number, place: JobLocation): void {
    this.change(name, attempt, (entry) => ({ ...entry, lease: { ...entry.lease!, place } }));
  }

  /** Says that this process still looks after these attempts. */
  beat(attempts: Iterable<readonly [name: string, attempt: number]>): void {
    this.db.transactionSync(() => {
      for (const [name, attempt] of attempts) {
        this.change(name, attempt, (entry) => ({ ...entry, lease: { ...entry.lease!, beat: this.now() } }));
      }
    });
  }

  /** Notes how the attempt ended. @returns whether it was heard: not, where another process has taken the job over */
  settle(name: string, attempt: number, ending: AttemptResult): boolean {
    return this.change(name, attempt, (entry) => entryAfter(entry, ending, this.now()));
  }

  /** Takes over the running jobs whose process is gone; each goes on as it stands, or is settled by what its folder holds. */
  takeOver<T extends LedgerJob>(jobs: readonly T[]): [T, JobEntry][] {
    return this.db.transactionSync(() =>
      jobs.flatMap((job): [T, JobEntry][] => {
        const entry = this.entry(job.name);
        if (entry.lease === undefined || !this.isGone(entry.lease.by, entry.lease.beat)) return [];
        return [[job, this.put(job.name, { ...entry, lease: { ...entry.lease, by: this.me, beat: this.now() } })]];
      }),
    );
  }

  /** Lets jobs that failed or were cancelled be tried again. */
  reopen(jobs: readonly LedgerJob[], states: readonly JobEntry['state'][] = ['failed', 'cancelled']): void {
    this.db.transactionSync(() => {
      for (const { name } of jobs) {
        const { state, attempts } = this.entry(name);
        if (states.includes(state)) this.put(name, { ...waiting, attempts, changed: this.now() });
      }
    });
  }

  /** Takes a waiting job out, and a running one when its attempt ends. @returns its entry */
  cancel(name: string, reason: string): JobEntry {
    return this.db.transactionSync(() => {
      const entry = this.entry(name);
      const { state, attempts } = entry;
      if (state === 'running') return this.put(name, { ...entry, cancel: true });
      if (state !== 'waiting') return entry;
      return this.put(name, { state: 'cancelled', attempts, barren: 0, changed: this.now(), reason });
    });
  }

  /** Counts something of the sweep, from 1: the same number is given to nobody else. */
  count(what: string): number {
    return this.db.transactionSync(() => {
      const next = ((this.db.get(`count ${what}`) as number | undefined) ?? 0) + 1;
      this.db.putSync(`count ${what}`, next);
      return next;
    });
  }

  async close(): Promise<void> {
    await this.db.close();
  }

  private entry(name: string): JobEntry {
    return (this.db.get(`job ${name}`) as JobEntry | undefined) ?? waiting;
  }

  private put(name: string, entry: JobEntry): JobEntry {
    this.db.putSync(`job ${name}`, entry);
    return entry;
  }

  private change(name: string, attempt: number, to: (entry: JobEntry) => JobEntry): boolean {
    return this.db.transactionSync(() => {
      const entry = this.entry(name);
      if (entry.attempts !== attempt || !isDeepStrictEqual(entry.lease?.by, this.me)) return false;
      this.put(name, to(entry));
      return true;
    });
  }

  private isGone(by: ProcessId, beat: number): boolean {
    const lives = isAlive(by, { ownDisk: true }); // a ledger is on a disk of one machine: `refuseNetwork`
    return lives === 'unknown' ? this.now() - beat > silence : !lives;
  }
}

/** LMDB maps what it is given into memory as it is: what is no database of its would end the process. */
function refuseForeign(file: string): void {
  if (!existsSync(file) || statSync(file).size === 0) return;
  const head = readFileSync(file).subarray(0, 52); // a ledger is small
  const whole =
    head.length === 52 && head.readUInt32LE(24) === 0xbeefc0de && statSync(file).size >= 2 * head.readUInt32LE(48);
  if (!whole) throw new Error('it is no database, or cut short');
}
