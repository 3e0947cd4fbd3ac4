import type { ProcessMark } from '../storage/process-mark.js';

/** Where a job stands. 'running' is one that is held by a sweep's process: started, or on its way there. */
export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

/** Where a started job is: a process of this machine, or a task of an array of Slurm. Plain data. */
export type Place =
  | { readonly kind: 'process'; readonly mark: ProcessMark }
  | { readonly kind: 'slurm'; readonly batch: string; readonly index: number; readonly id?: string };

/** A line of the ledger. Plain data. */
export interface Entry {
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
  readonly by: ProcessMark;
  /** When it was last heard of, in milliseconds since 1970. */
  readonly beat: number;
  readonly place?: Place;
  /** What the newest snapshots of the job were when it was started, so that a barren attempt is known. */
  readonly snapshots: string;
}

/** How an attempt ended. */
export interface Ending {
  readonly state: Exclude<JobState, 'running'>;
  readonly reason?: string;
  /** Whether it left no newer snapshot though nobody of the sweep stopped it; none where that cannot be said. */
  readonly barren?: boolean;
}

/** After so many attempts in a row without a new snapshot a job has failed: whatever kills it would do so again. */
export const mostBarren = 5;

export const waiting: Entry = { state: 'waiting', attempts: 0, barren: 0, changed: 0 };

/** The entry after its attempt ended. */
export function ended(entry: Entry, { reason, barren, ...ending }: Ending, now: number): Entry {
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
