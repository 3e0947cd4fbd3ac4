/// <reference types="node" preserve="true" />

/** What a script imports to run a pipeline over many configs and seeds, typed by the pipeline. @module */

export type { ProcessId } from './storage/process-id.js';
export type { Job } from './sweep/jobs.js';
export type { JobEntry, JobLease, JobLocation, JobState } from './sweep/ledger.js';
export type { SweepPlan } from './sweep/plan.js';
export type { SweepOutcome } from './sweep/scheduler.js';
export {
  type GridOf,
  type PointOf,
  type Sweep,
  type SweepOptions,
  type SweepReport,
  type SweepResult,
  type SweepSettings,
  sweep,
  type ValuesOf,
} from './sweep/sweep.js';
