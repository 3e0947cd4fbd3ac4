import type { Job } from '../jobs.js';
import type { JobEntry, JobLocation } from '../ledger.js';

/** A job that this process of the sweep holds, with the folder of its run. */
export interface ClaimedJob {
  readonly job: Job;
  readonly folder: string;
  readonly entry: JobEntry;
}

/**
 * Where a started job stands: under way (perhaps elsewhere than was thought), ended as told, or gone without a word, so that its
 * folder has to say how far it came.
 */
export type JobStatus =
  | { readonly state: 'running'; readonly place?: JobLocation; readonly note?: string }
  | {
      readonly state: 'ended';
      readonly status: number | null;
      readonly signal?: string;
      readonly reason?: string;
      /** Ended by a signal it has failed, unless it left a newer snapshot: it would end the same way again. */
      readonly hopeless?: boolean;
    }
  | { readonly state: 'cancelled'; readonly reason: string }
  | { readonly state: 'gone'; readonly reason: string };

/** What runs jobs: processes of this machine, this process itself, or Slurm. */
export interface Executor {
  /** How many jobs at once. */
  readonly room: number;
  /** Starts jobs whose folders are ready. `placed` is told where each is, as soon as that is known. */
  start(held: readonly ClaimedJob[], placed: (held: ClaimedJob, place: JobLocation) => void): Promise<void>;
  /** Where jobs stand, those that an earlier process of the sweep started included. */
  look(held: readonly ClaimedJob[]): Promise<readonly JobStatus[]>;
  /** Resolves when it is worth looking again. */
  pause(): Promise<void>;
  /** Asks jobs to stop at their next snapshot. */
  stop(held: readonly ClaimedJob[]): Promise<void>;
  /** What becomes of jobs when the sweep's process is asked to stop: they stop with it, or go on without. */
  readonly onStop: 'stop' | 'leave';
}
