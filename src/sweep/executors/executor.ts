import type { Job } from '../jobs.js';
import type { JobEntry, JobLocation } from '../ledger.js';

/** A job that this process of the sweep has claimed, with the folder of its run. */
export interface ClaimedJob {
  readonly job: Job;
  readonly folder: string;
  readonly entry: JobEntry;
}

/**
 * The status of a started job: running (with its location, where that is new), ended or cancelled, or gone without an exit status, so that
 * only its folder shows how far it came.
 */
export type JobStatus =
  | { readonly state: 'running'; readonly location?: JobLocation; readonly note?: string }
  | {
      readonly state: 'ended';
      readonly status: number | null;
      readonly signal?: string;
      readonly reason?: string;
      /** Ended by a signal, the job has failed unless it left a newer snapshot: it would end the same way again. */
      readonly hopeless?: boolean;
    }
  | { readonly state: 'cancelled'; readonly reason: string }
  | { readonly state: 'gone'; readonly reason: string };

/** Runs jobs: as processes of this machine, in this process, or under Slurm. */
export interface Executor {
  /** How many jobs at once. */
  readonly capacity: number;
  /** Starts jobs whose folders are ready. Calls `located` for each job as soon as its location is known. */
  start(held: readonly ClaimedJob[], located: (held: ClaimedJob, location: JobLocation) => void): Promise<void>;
  /** The status of these jobs, also of those that an earlier process of the sweep started. */
  poll(held: readonly ClaimedJob[]): Promise<readonly JobStatus[]>;
  /** Resolves when it is worth polling again. */
  wait(): Promise<void>;
  /** Asks jobs to stop at their next snapshot. */
  stop(held: readonly ClaimedJob[]): Promise<void>;
  /** Whether jobs stop when the sweep's process is asked to stop, or go on without it. */
  readonly onStop: 'stop' | 'leave';
}
