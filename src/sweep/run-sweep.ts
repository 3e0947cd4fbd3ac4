import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toError } from '../flow/core-terminal.js';
import { collectReport } from '../run/collect/collect-collect.js';
import { soundOf } from '../run/run-log.js';
import { stopOnSignals } from '../run/signals.js';
import { makeFolder } from '../storage/make-folder.js';
import { Scheduler, type SweepOutcome } from './drive.js';
import type { Entry } from './entry.js';
import type { Executor } from './executors/executor.js';
import type { Job } from './job.js';
import { ledgerOf } from './ledger-of.js';
import { LiveSweep } from './live.js';
import { isFinished } from './outcome.js';
import type { Ledger } from './sweep-ledger.js';
import { folderOfJob, type Plan } from './sweep-plan.js';

/** What shows the jobs of a sweep. */
export type View = Pick<LiveSweep, 'watch' | 'note' | 'close'>;

export interface Sweeping {
  readonly folder: string;
  readonly plan: Plan;
  /** Those to bring to their end, where it is not all. */
  readonly jobs?: readonly Job[];
  readonly executor: (ledger: Ledger) => Executor;
  readonly keepGoing: boolean;
  /** Whether jobs that failed or were cancelled are tried again. */
  readonly retry: boolean;
  /** Shows them; by default a table, or lines. */
  readonly view?: View;
}

export interface Swept {
  readonly driven: SweepOutcome;
  readonly entries: ReadonlyMap<string, Entry>;
}

/** Brings jobs of a sweep to their end, or to a stop by a signal; afterwards `reportSweep` says what came out. */
export async function runSweep(sweeping: Sweeping): Promise<Swept> {
  const { folder, plan, keepGoing, retry } = sweeping;
  const { jobs = plan.jobs } = sweeping;
  const ledger = ledgerOf(folder, plan);
  const view = sweeping.view ?? new LiveSweep(`sweep ${folder}`, folder, jobs);
  const drive = new Scheduler({
    ...{ jobs, ledger, keepGoing, executor: sweeping.executor(ledger), watch: view.watch, note: view.note },
    folderOf: (job) => folderOfJob(folder, job),
    logOf: (job) => logOf(folder, job),
  });
  const release = stopOnSignals(() => {
    view.note('stopping; once more to stop at once');
    drive.stop();
  });
  try {
    if (retry) ledger.reopen(jobs);
    // Folders have the last word: of a job whose folder was taken away nothing is done.
    ledger.reopen(
      jobs.filter((job) => !isFinished(folderOfJob(folder, job))),
      ['done'],
    );
    return { driven: await drive.run(), entries: ledger.all(jobs) };
  } finally {
    release();
    await view.close();
    await ledger.close();
  }
}

/** What a job's process says, attempt after attempt. */
export function logOf(folder: string, { name }: Pick<Job, 'name'>): string {
  const file = join(folder, 'logs', `${name}.log`);
  makeFolder(dirname(file));
  return file;
}

/** What became of the report over a sweep's jobs. */
export interface Reported {
  /** The path of the page; none where no job has begun. */
  readonly report?: string;
  /** Jobs that are damaged and so are not in it, a sentence each. */
  readonly left: readonly string[];
}

/** Writes one report over all jobs that have begun, and says on standard error which are left out. */
export async function reportSweep(folder: string, jobs: readonly Job[]): Promise<Reported> {
  const begun = jobs.map((job) => folderOfJob(folder, job)).filter((path) => existsSync(join(path, 'config.json')));
  const { runs, left } = soundOf(begun);
  for (const one of left) toError(`${one}\n`);
  if (runs.length === 0) return { left };
  const { writeReport } = await import('../report/files.js'); // slow to load, and only now of use
  const collected = collectReport(runs);
  const { html } = await writeReport(join(folder, 'report'), { ...collected, notes: [...collected.notes, ...left] });
  return { report: html, left };
}
