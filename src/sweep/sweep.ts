import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { toError } from '../flow/terminal.js';
import { collectReport } from '../run/collect/collect.js';
import { nearest, type Shape, type z } from '../run/config.js';
import { type Pipeline, tryOut } from '../run/pipeline.js';
import { loadPipeline } from '../run/pipeline-module.js';
import { stopOnSignals } from '../run/process.js';
import { intactRuns } from '../run/run-log.js';
import { makeFolder } from '../storage/folders.js';
import { holderOf } from '../storage/lock.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import type { Executor } from './executors/executor.js';
import { jobsThatFit, LocalProcesses } from './executors/local.js';
import { SlurmArrays } from './executors/slurm.js';
import { cancel, requireSlurm } from './executors/slurm-commands.js';
import { axesOf, type Point, pointOf, pointsOf } from './grid.js';
import { type Job, jobsOf } from './jobs.js';
import type { JobEntry, Ledger } from './ledger.js';
import { folderOfJob, ledgerOf, planSweep, readPlan, type SweepPlan } from './plan.js';
import { isFinished, Scheduler, type SweepOutcome } from './scheduler.js';
import { LiveSweep } from './table.js';

/** What shows the jobs of a sweep. */
export type SweepView = Pick<LiveSweep, 'watch' | 'note' | 'close'>;

export interface SweepRun {
  readonly folder: string;
  readonly plan: SweepPlan;
  /** Those to bring to their end, where it is not all. */
  readonly jobs?: readonly Job[];
  readonly executor: (ledger: Ledger) => Executor;
  readonly keepGoing: boolean;
  /** Whether jobs that failed or were cancelled are tried again. */
  readonly retry: boolean;
  /** Shows them; by default a table, or lines. */
  readonly view?: SweepView;
}

export interface SweepResult {
  readonly driven: SweepOutcome;
  readonly entries: ReadonlyMap<string, JobEntry>;
}

/** Brings jobs of a sweep to their end, or to a stop by a signal; afterwards `reportSweep` says what came out. */
export async function runSweep(sweeping: SweepRun): Promise<SweepResult> {
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
export interface SweepReport {
  /** The path of the page; none where no job has begun. */
  readonly report?: string;
  /** Jobs that are damaged and so are not in it, a sentence each. */
  readonly left: readonly string[];
}

/** Writes one report over all jobs that have begun, and says on standard error which are left out. */
export async function reportSweep(folder: string, jobs: readonly Job[]): Promise<SweepReport> {
  const begun = jobs.map((job) => folderOfJob(folder, job)).filter((path) => existsSync(join(path, 'config.json')));
  const { runs, left } = intactRuns(begun);
  for (const one of left) toError(`${one}\n`);
  if (runs.length === 0) return { left };
  const { writeReport } = await import('../report/files.js'); // slow to load, and only now of use
  const collected = collectReport(runs);
  const { html } = await writeReport(join(folder, 'report'), { ...collected, notes: [...collected.notes, ...left] });
  return { report: html, left };
}

type ShapeOf<P> = P extends { readonly config: infer S extends Shape } ? S : never;
type ValuesOf<P> = z.input<z.ZodObject<ShapeOf<P>>> & { readonly seed?: number; readonly profile?: string };

/** Some values of a pipeline's config, its seed and its profile among them. */
export type PointOf<P> = Partial<ValuesOf<P>>;
/** Lists of values, all combinations of which are jobs. */
export type GridOf<P> = { readonly [K in keyof ValuesOf<P>]?: readonly NonNullable<ValuesOf<P>[K]>[] };

/** How jobs are run. */
export interface SweepSettings {
  readonly executor?: 'local' | 'slurm';
  /** How many at once; by default as many as the machine's cores and memory hold, or as Slurm gives. */
  readonly jobs?: number;
  /** Threads inside one operation of a job, for the whole life of the sweep; by default `WEIR_THREADS`, or one. */
  readonly threads?: number;
  /** Bytes of memory that a job needs. */
  readonly memory?: number;
  /** Folder of the ledger, where the sweep's own lies on a network file system. */
  readonly ledger?: string;
  readonly keepGoing?: boolean;
  readonly retry?: boolean;
  /** Go on although the module is not what it was when the sweep was begun. */
  readonly acceptChanges?: boolean | undefined;
  /** Options of `weir resume` for every job, such as `--snapshot-every 10`. */
  readonly options?: readonly string[];
  /** Handed to `sbatch`, such as `--time=4:00:00`. */
  readonly slurmOptions?: readonly string[];
  /** Processes of other machines or containers that are dead, as the refusal names them: what they held is gone on with. */
  readonly dead?: readonly string[];
}

export interface SweepOptions<P> extends SweepSettings {
  /** The pipeline module, as a path. */
  readonly module: string;
  readonly grid?: GridOf<P>;
  /** Jobs one by one; where there is a grid too, each with all of it. */
  readonly list?: readonly PointOf<P>[];
  /** For all jobs. */
  readonly set?: PointOf<P>;
  /** By default `runs/sweep-PIPELINE`. */
  readonly folder?: string;
}

export interface Sweep extends SweepResult, SweepReport {
  readonly folder: string;
  readonly plan: SweepPlan;
}

/**
 * Runs a pipeline once for each point of a grid or list, each in a folder of its own; asked again it goes on.
 *
 * @example await sweep<typeof mnist>({ module: 'pipelines/mnist.ts', grid: { gamma: [0.01, 0.1], seed: [0, 1, 2] } })
 */
export async function sweep<P = Pipeline>({
  module,
  grid = {},
  list = [{}],
  set = {},
  ...rest
}: SweepOptions<P>): Promise<Sweep> {
  const combined = pointsOf(axesOf(grid as Record<string, readonly unknown[]>));
  const points = list.flatMap((one) => combined.map((more) => [...pointOf(one), ...more]));
  return sweepPoints({ module, points, set: pointOf(set).map(([key, value]) => `${key}=${value}`), ...rest });
}

export interface PointsOptions extends SweepSettings {
  readonly module: string;
  readonly points: readonly Point[];
  readonly set?: readonly string[];
  readonly seed?: number;
  readonly folder?: string;
}

/** The same with values as text. */
export async function sweepPoints({ module, points, set = [], seed = 0, ...running }: PointsOptions): Promise<Sweep> {
  const pipeline = await loadPipeline(module);
  const asked = {
    module,
    pipeline,
    points,
    set: set.filter((one) => !one.startsWith('seed=')),
    seed: seedIn(set) ?? seed,
  };
  jobsOf(asked); // what is wrong is told before TensorFlow is made ready
  if (running.executor === 'slurm') await requireSlurm(); // nothing is begun without it
  const folder = running.folder ?? join('runs', `sweep-${pipeline.name}`);
  const before = readPlan(folder);
  const slow = before?.slow ?? (await loadTensorFlow()).kind === 'wasm';
  const jobs = jobsOf({ ...asked, fallback: slow ? pipeline.fallback : {} });
  if (before === undefined) await tryOut(pipeline, jobs[0]!.config, jobs[0]!.seed); // what no job could do is told at once
  const threads = running.threads ?? (before === undefined ? Number(process.env.WEIR_THREADS) || 1 : undefined);
  const { ledger, executor = 'local', slurmOptions } = running;
  const plan = await planSweep(
    folder,
    {
      ...{ jobs, slow, executor, acceptChanges: running.acceptChanges },
      ...(slurmOptions !== undefined && { slurmOptions }),
      ...(threads !== undefined && { threads }),
      ...(ledger !== undefined && { ledger }),
      ...(running.dead !== undefined && { dead: running.dead }),
    },
    (job) => existsSync(join(folderOfJob(folder, job), 'config.json')),
  );
  return continueSweep(folder, plan, running);
}

/** Goes on with the sweep that a folder holds. */
export async function continueSweep(folder: string, plan: SweepPlan, running: SweepSettings = {}): Promise<Sweep> {
  const { keepGoing = true, retry = false, executor = plan.executor } = running;
  if (executor === 'slurm') await requireSlurm();
  const swept = await runSweep({
    folder,
    plan,
    keepGoing,
    retry,
    executor: (ledger) => executorFor(folder, plan, running, ledger),
  });
  const reported = swept.driven === 'stopped' ? { left: [] } : await reportSweep(folder, plan.jobs);
  return { folder, plan, ...swept, ...reported };
}

/** What runs the jobs of a plan. */
export function executorFor(folder: string, plan: SweepPlan, running: SweepSettings, ledger: Ledger): Executor {
  const { id, threads } = plan;
  const { jobs, memory, options = [], executor = plan.executor, slurmOptions = plan.slurmOptions ?? [] } = running;
  const log = ({ job }: { job: { name: string } }) => logOf(folder, job);
  const own = { options, log, ...(threads !== undefined && { threads }) };
  if (executor === 'slurm') {
    return new SlurmArrays({
      ...{ folder, sweep: id, ledger, slurmOptions },
      ...own,
      ...(jobs !== undefined && { jobs }),
    });
  }
  const room =
    jobs ?? jobsThatFit({ threads: threads ?? availableParallelism(), ...(memory !== undefined && { memory }) });
  return new LocalProcesses({ room, ...own });
}

function seedIn(set: readonly string[]): number | undefined {
  const text = set.findLast((one) => one.startsWith('seed='))?.slice('seed='.length);
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new WeirError(`--set seed=${text}: a seed is a whole number`, 'give --seed N');
}

/** Takes jobs out of a sweep. @throws {WeirError} when there is no such job */
export async function cancelJobs(folder: string, plan: SweepPlan, names: readonly string[]): Promise<void> {
  const odd = names.find((name) => !plan.jobs.some((job) => job.name === name));
  if (odd !== undefined) {
    const known = plan.jobs.map(({ name }) => name);
    throw new WeirError(`the sweep in ${folder} has no job '${odd}'`, `did you mean '${nearest(odd, known)}'?`);
  }
  const ledger = ledgerOf(folder, plan);
  try {
    for (const job of plan.jobs.filter(({ name }) => names.includes(name))) {
      const { state, lease } = ledger.cancel(job.name, 'by weir sweep --cancel');
      if (state !== 'running') continue;
      const { place } = lease ?? {};
      if (place?.kind === 'slurm') {
        await cancel(place.id === undefined ? [] : [place.id]);
        continue;
      }
      const holder = holderOf(folderOfJob(folder, job));
      if (holder?.alive === true) process.kill(holder.mark.pid, 'SIGTERM');
    }
  } finally {
    await ledger.close();
  }
}
