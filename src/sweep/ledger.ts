import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { open, type RootDatabase } from 'lmdb';
import { WeirError } from '../flow/errors.js';
import { networkFileSystem } from '../storage/lock.js';
import { isAlive, type ProcessId, thisProcess } from '../storage/process-id.js';
import { makeFolder } from '../surroundings/folders.js';

/** The state of a job. 'running': a process of the sweep has claimed it, and has started it or is about to. */
export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

/** Where a started job runs: in a process of this machine, or as a task of a Slurm array. Plain data. */
export type JobLocation =
  | { readonly kind: 'process'; readonly mark: ProcessId }
  | { readonly kind: 'slurm'; readonly batch: string; readonly index: number; readonly id?: string };

/** What the ledger keeps of one job. Plain data. */
export interface JobEntry {
  readonly state: JobState;
  /** How often the job was started. Reports on an earlier attempt than this are ignored. */
  readonly attempts: number;
  /** Attempts in a row that ended without a new snapshot. */
  readonly barren: number;
  /** When the entry changed, in milliseconds since 1970. */
  readonly changed: number;
  readonly lease?: JobLease;
  /** Of a running job: it is cancelled when its attempt ends, unless it is done by then. */
  readonly cancel?: true;
  /** Why the job failed, was cancelled, or waits again. */
  readonly reason?: string;
}

/** The claim of a process of the sweep (not the job's own process) to a running job. */
export interface JobLease {
  readonly by: ProcessId;
  /** The holder's last heartbeat, in milliseconds since 1970. */
  readonly heartbeat: number;
  readonly location?: JobLocation;
  /** The newest snapshots of the job at the start of the attempt; a barren attempt leaves no others. */
  readonly snapshots: string;
}

/** How an attempt ended. */
export interface AttemptResult {
  readonly state: Exclude<JobState, 'running'>;
  readonly reason?: string;
  /** Whether it left no new snapshot though the sweep did not stop it; left out where that is not known. */
  readonly barren?: boolean;
}

/**
 * Whether the process of a running job, and that of the sweep which holds its lease, are known to be gone: of another machine nothing is
 * known, and a task of Slurm outlives the sweep's process. The lease stays until another process of the sweep takes it over.
 */
export function isStopped({ state, lease }: JobEntry): boolean {
  if (state !== 'running' || lease === undefined || lease.location?.kind === 'slurm') return false;
  return [lease.by, lease.location?.mark].every(
    (mark) => mark === undefined || isAlive(mark, { ownDisk: true }) === false,
  );
}

/** Seconds since the last heartbeat, where the process of the sweep that holds the lease is not known to live. */
export function silence({ by, heartbeat }: JobLease, now = Date.now()): number | undefined {
  return isAlive(by, { ownDisk: true }) === true ? undefined : Math.max(0, (now - heartbeat) / 1000);
}

/** After so many attempts in a row without a new snapshot a job has failed: it would end the same way again. */
export const mostBarren = 5;

export const waiting: JobEntry = { state: 'waiting', attempts: 0, barren: 0, changed: 0 };

/** The entry after its attempt ended. */
function entryAfter(entry: JobEntry, { reason, barren, ...ending }: AttemptResult, now: number): JobEntry {
  const { attempts, cancel } = entry;
  const state = cancel && ending.state === 'waiting' ? 'cancelled' : ending.state;
  const row = barren === undefined ? entry.barren : barren ? entry.barren + 1 : 0;
  const hopeless = state === 'waiting' && row >= mostBarren;
  const why = hopeless ? `${reason ?? 'ended'}, ${row} times without a new snapshot in between` : reason;
  return {
    state: hopeless ? 'failed' : state,
    attempts,
    barren: state === 'waiting' && !hopeless ? row : 0,
    changed: now,
    ...(why !== undefined && { reason: why }),
  };
}

/**
 * Refuses a folder on a network file system: over such, neither locks nor mapped memory are shared.
 *
 * @throws {WeirError} names the file system
 */
export function refuseNetwork(folder: string, type?: (folder: string) => number): void {
  const name = networkFileSystem(folder, type);
  if (name === undefined) return;
  throw new WeirError(
    `the ledger ${folder} would lie on ${name}, over which processes cannot lock it`,
    'keep it on a disk of this machine: --ledger FOLDER',
  );
}

/** A job as the ledger needs it: its name, and the names of jobs that must be done before it. */
export interface LedgerJob {
  readonly name: string;
  readonly after: readonly string[];
}

const longestSilence = 5 * 60_000; // milliseconds without a heartbeat after which a process of another machine counts as gone

/**
 * The states of all jobs of a sweep, in an LMDB database: every change is a transaction among all processes of the sweep.
 *
 * A job is claimed under a lease; only the holder of its newest attempt can change its entry. Where a holder has died, another process
 * of the sweep takes its lease over, at once on the same machine. A process killed within a transaction leaves the state before it.
 */
export class Ledger {
  private constructor(
    private readonly db: RootDatabase<unknown, string>,
    /** The holder of the leases that are claimed here. */
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
        'move it away: the sweep finds the state of its jobs in their folders',
        { cause },
      );
    }
    db.readerCheck(); // frees the slots of killed processes
    const is = db.transactionSync(() => {
      const known = db.get('sweep') as string | undefined;
      if (known === undefined) db.putSync('sweep', sweep);
      return known ?? sweep;
    });
    if (is === sweep) return new Ledger(db, me, now);
    void db.close();
    throw new WeirError(
      `the ledger ${folder} is of another sweep (${is}) than the folder it is used for (${sweep})`,
      'give each sweep its own ledger; without one, the sweep finds the state of its jobs in their folders',
    );
  }

  /** Every job's entry; a job that was never claimed is waiting. */
  all(jobs: readonly LedgerJob[]): Map<string, JobEntry> {
    return this.db.transactionSync(() => new Map(jobs.map(({ name }) => [name, this.entry(name)])));
  }

  /**
   * Claims waiting jobs for this process, in order, at most `capacity`: those for which all jobs before them are done.
   *
   * @param snapshots a text that names the newest snapshots of a job @returns the jobs with their new entries
   */
  claim<T extends LedgerJob>(
    jobs: readonly T[],
    capacity: number,
    snapshots: (job: T) => string = () => '',
  ): [T, JobEntry][] {
    return this.db.transactionSync(() => {
      const claimed: [T, JobEntry][] = [];
      for (const job of jobs) {
        if (claimed.length >= capacity) break;
        const { state, attempts, barren } = this.entry(job.name);
        if (state !== 'waiting' || job.after.some((name) => this.entry(name).state !== 'done')) continue;
        const lease = { by: this.me, heartbeat: this.now(), snapshots: snapshots(job) };
        claimed.push([
          job,
          this.put(job.name, { state: 'running', attempts: attempts + 1, barren, changed: this.now(), lease }),
        ]);
      }
      return claimed;
    });
  }

  /** Notes where the attempt runs. */
  locate(name: string, attempt: number, location: JobLocation): void {
    this.change(name, attempt, (entry) => ({ ...entry, lease: { ...entry.lease!, location } }));
  }

  /** Renews the leases of these attempts. */
  heartbeat(attempts: Iterable<readonly [name: string, attempt: number]>): void {
    this.db.transactionSync(() => {
      for (const [name, attempt] of attempts) {
        this.change(name, attempt, (entry) => ({ ...entry, lease: { ...entry.lease!, heartbeat: this.now() } }));
      }
    });
  }

  /** Notes how the attempt ended. @returns false where another process has taken the job over */
  settle(name: string, attempt: number, ending: AttemptResult): boolean {
    return this.change(name, attempt, (entry) => entryAfter(entry, ending, this.now()));
  }

  /** Takes over the leases of running jobs whose holder is gone. @returns these jobs; whether each still runs is for the executor to find out */
  takeOver<T extends LedgerJob>(jobs: readonly T[]): [T, JobEntry][] {
    return this.db.transactionSync(() =>
      jobs.flatMap((job): [T, JobEntry][] => {
        const entry = this.entry(job.name);
        if (entry.lease === undefined || !this.isGone(entry.lease.by, entry.lease.heartbeat)) return [];
        return [[job, this.put(job.name, { ...entry, lease: { ...entry.lease, by: this.me, heartbeat: this.now() } })]];
      }),
    );
  }

  /** Makes jobs in these states wait again. */
  reopen(jobs: readonly LedgerJob[], states: readonly JobEntry['state'][] = ['failed', 'cancelled']): void {
    this.db.transactionSync(() => {
      for (const { name } of jobs) {
        const { state, attempts } = this.entry(name);
        if (states.includes(state)) this.put(name, { ...waiting, attempts, changed: this.now() });
      }
    });
  }

  /** Cancels a waiting job at once, and a running one when its attempt ends. @returns its entry */
  cancel(name: string, reason: string): JobEntry {
    return this.db.transactionSync(() => {
      const entry = this.entry(name);
      const { state, attempts } = entry;
      if (state === 'running') return this.put(name, { ...entry, cancel: true });
      if (state !== 'waiting') return entry;
      return this.put(name, { state: 'cancelled', attempts, barren: 0, changed: this.now(), reason });
    });
  }

  /** The next number of a counter of the sweep, from 1; no number is returned twice. */
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

  private isGone(by: ProcessId, heartbeat: number): boolean {
    const lives = isAlive(by, { ownDisk: true }); // a ledger is on a disk of one machine: see `refuseNetwork`
    return lives === 'unknown' ? this.now() - heartbeat > longestSilence : !lives;
  }
}

/** Refuses a file that is no LMDB database: LMDB maps any file into memory, and the process would crash. */
function refuseForeign(file: string): void {
  if (!existsSync(file) || statSync(file).size === 0) return;
  const head = readFileSync(file).subarray(0, 52); // a ledger is small
  const whole =
    head.length === 52 && head.readUInt32LE(24) === 0xbeefc0de && statSync(file).size >= 2 * head.readUInt32LE(48);
  if (!whole) throw new Error('it is no database, or was cut short');
}
