import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { checkOptions, type OptionKeys, suggestion } from '../flow/options.js';
import { toError } from '../flow/terminal.js';
import { collectReport } from '../run/collect/collect.js';
import { checkValues, type ShapeOf, type z } from '../run/config.js';
import { type Pipeline, tryOut } from '../run/pipeline.js';
import { loadPipeline } from '../run/pipeline-module.js';
import { stopOnSignals } from '../run/process.js';
import { intactRuns } from '../run/run-log.js';
import { holderOf } from '../storage/lock.js';
import { makeFolder } from '../surroundings/folders.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import { baselineNotes, withBaselines } from './baselines.js';
import type { Executor } from './executors/executor.js';
import { jobsThatFit, LocalProcesses } from './executors/local.js';
import { SlurmArrays } from './executors/slurm.js';
import { cancel, requireSlurm } from './executors/slurm-commands.js';
import { axesOf, type Point, pointOf, pointsOf } from './grid.js';
import { checkSet, type Job, jobsOf } from './jobs.js';
import { isStopped, type JobEntry, type Ledger, waiting } from './ledger.js';
import { begunRuns, folderOfJob, ledgerOf, planSweep, pointJobs, readPlan, type SweepPlan } from './plan.js';
import { hasBegun, isFinished, Scheduler, type SweepOutcome } from './scheduler.js';
import { LiveSweep } from './table.js';

/** Shows the jobs of a sweep. */
export type SweepView = Pick<LiveSweep, 'watch' | 'note' | 'close'>;

export interface SweepRun {
  readonly folder: string;
  readonly plan: SweepPlan;
  /** The jobs to run; by default all of the plan. */
  readonly jobs?: readonly Job[];
  readonly executor: (ledger: Ledger) => Executor;
  readonly keepGoing: boolean;
  /** Whether failed and cancelled jobs are tried again. */
  readonly retry: boolean;
  /** By default a table on a terminal, and lines elsewhere. */
  readonly view?: SweepView;
}

export interface SweepResult {
  readonly outcome: SweepOutcome;
  readonly entries: ReadonlyMap<string, JobEntry>;
}

/** Runs jobs of a sweep to their end, or to a stop by a signal. Their report is `reportSweep`'s. */
export async function runSweep(run: SweepRun): Promise<SweepResult> {
  const { folder, plan, keepGoing, retry } = run;
  const { jobs = plan.jobs } = run;
  const ledger = ledgerOf(folder, plan);
  const view = run.view ?? new LiveSweep(`sweep ${folder}`, folder, jobs);
  const { watch, note } = view;
  const places = { folderOf: (job: Job) => folderOfJob(folder, job), logOf: (job: Job) => logOf(folder, job) };
  const scheduler = new Scheduler({ jobs, ledger, keepGoing, executor: run.executor(ledger), watch, note, ...places });
  const release = stopOnSignals(() => {
    view.note('stopping; a second signal ends this at once');
    scheduler.stop();
  });
  try {
    if (retry) ledger.reopen(jobs);
    // Folders have the last word: a job that is done by the ledger, but not by its folder, runs again.
    ledger.reopen(
      jobs.filter((job) => !isFinished(folderOfJob(folder, job))),
      ['done'],
    );
    return { outcome: await scheduler.run(), entries: ledger.all(jobs) };
  } finally {
    release();
    await view.close();
    await ledger.close();
  }
}

/** Tells of the jobs of the sweep in this folder whether they have begun, so that their values may not change. */
export async function begunIn(folder: string): Promise<(job: Job) => boolean> {
  const plan = readPlan(folder);
  const ledger = plan && ledgerOf(folder, plan);
  const entries = ledger?.all(plan!.jobs);
  await ledger?.close();
  return (job) => {
    const entry = entries?.get(job.name) ?? waiting;
    return hasBegun(folderOfJob(folder, job), entry.attempts) || (entry.state === 'running' && !isStopped(entry));
  };
}

/** The file for the output of a job's processes, attempt after attempt. */
export function logOf(folder: string, { name }: Pick<Job, 'name'>): string {
  const file = join(folder, 'logs', `${name}.log`);
  makeFolder(dirname(file));
  return file;
}

/** The report over the jobs of a sweep. */
export interface SweepReport {
  /** The path of its page; left out where no job has begun. */
  readonly report?: string;
  /** Which setting is the best, as lines of text; empty of a report that ranks none. */
  readonly ranking: readonly string[];
  /** A sentence for each damaged job, which is not in it. */
  readonly leftOut: readonly string[];
}

/**
 * Writes one report over all jobs that have begun, and names on standard error those that are left out.
 *
 * @param best the result that settings are ranked by, 'usual' for test accuracy, or none where they are not to be ranked
 * @throws {WeirError} where no network has that result
 */
export async function reportSweep(folder: string, jobs: readonly Job[], best?: string): Promise<SweepReport> {
  const { runs, leftOut } = intactRuns(begunRuns(folder, { jobs: pointJobs(jobs) }));
  for (const one of leftOut) toError(`${one}\n`);
  if (runs.length === 0) return { leftOut, ranking: [] };
  const { rankedReport } = await import('../measure/networks/ranking.js'); // slow to load, and not needed before
  const { rankingLines } = await import('../report/tables.js');
  const { writeReport } = await import('../report/report.js');
  const collected = collectReport(runs);
  const report = rankedReport({ ...collected, notes: [...collected.notes, ...leftOut] }, best);
  for (const one of report.notes.slice(collected.notes.length + leftOut.length)) toError(`${one}\n`);
  const { html } = await writeReport(join(folder, 'report'), report);
  return { report: html, leftOut, ranking: rankingLines(report) };
}

/** All values of a pipeline's config, seed and profile included. */
export type ValuesOf<P> = z.input<z.ZodObject<ShapeOf<P>>> & { readonly seed?: number; readonly profile?: string };

/** Some values of a pipeline's config, seed and profile included. */
export type PointOf<P> = Partial<ValuesOf<P>>;
/** Lists of values by key; all their combinations are jobs. */
export type GridOf<P> = { readonly [K in keyof ValuesOf<P>]?: readonly NonNullable<ValuesOf<P>[K]>[] };

/** How the jobs of a sweep are run. */
export interface SweepSettings {
  readonly executor?: 'local' | 'slurm';
  /** How many at once; by default as many as fit on the machine, or as Slurm allows. */
  readonly jobs?: number;
  /** Threads of a job, fixed for the whole sweep; by default `WEIR_THREADS`, or one. */
  readonly threads?: number;
  /** Bytes of memory that a job needs. */
  readonly memory?: number;
  /** Folder of the ledger, for a sweep whose own folder is on a network file system. */
  readonly ledger?: string;
  readonly keepGoing?: boolean;
  readonly retry?: boolean;
  /** The result that the report ranks settings by, as stream and field: 'tests.accuracy', which is the default where it was measured. */
  readonly best?: string;
  /** Goes on although the module has changed since the sweep was begun. */
  readonly acceptChanges?: boolean | undefined;
  /** Options of `weir resume` for every job, such as `--snapshot-every 10`. */
  readonly options?: readonly string[];
  /** Options for `sbatch`, such as `--time=4:00:00`. */
  readonly slurmOptions?: readonly string[];
  /** Processes of other machines or containers that are dead, as the error message names them; their folders are taken over. */
  readonly dead?: readonly string[];
}

export interface SweepOptions<P> extends SweepSettings {
  /** The path of the pipeline module. */
  readonly module: string;
  readonly grid?: GridOf<P>;
  /** Single jobs; with a grid too, each of them is combined with the whole grid. */
  readonly list?: readonly PointOf<P>[];
  /** Values of all jobs. */
  readonly set?: PointOf<P>;
  /** By default `runs/sweep-PIPELINE`. */
  readonly folder?: string;
}

export interface Sweep extends SweepResult, SweepReport {
  readonly folder: string;
  readonly plan: SweepPlan;
}

const sweepKeys: OptionKeys<SweepOptions<Pipeline>> = {
  module: 'required',
  grid: 'optional',
  list: 'optional',
  set: 'optional',
  folder: 'optional',
  executor: 'optional',
  jobs: 'optional',
  threads: 'optional',
  memory: 'optional',
  ledger: 'optional',
  keepGoing: 'optional',
  retry: 'optional',
  best: 'optional',
  acceptChanges: 'optional',
  options: 'optional',
  slurmOptions: 'optional',
  dead: 'optional',
};

/**
 * Runs a pipeline once for each point of a grid or list, each in its own folder. The same call again goes on with the sweep.
 *
 * @returns how it ended, the states of its jobs and the path of its report; a job that fails is an outcome
 * @throws {WeirError} before any job begins, for an unknown option, key or value, and for a folder that holds another sweep
 * @example await sweep<typeof mnist>({ module: 'pipelines/mnist.ts', grid: { gamma: [0.01, 0.1], seed: [0, 1, 2] } })
 */
export async function sweep<P = Pipeline>(options: SweepOptions<P>): Promise<Sweep> {
  const {
    module,
    grid = {},
    list = [{}],
    set = {},
    ...rest
  } = checkOptions<SweepOptions<P>>('sweep', options, sweepKeys);
  const { config } = await loadPipeline(module);
  const axes = Object.entries(grid as Record<string, readonly unknown[]>);
  for (const [key, values = []] of axes) for (const value of values) checkValues(config, { [key]: value }, 'grid');
  for (const one of list) checkValues(config, one, 'list');
  checkValues(config, set, 'set');
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

/** The folder of a sweep that was given none. */
const usualFolder = ({ name }: Pick<Pipeline, 'name'>): string => join('runs', `sweep-${name}`);

/**
 * The folder of the sweep that is meant: a folder itself, or a module, whose sweep is in `folder` or the usual one.
 *
 * @throws {WeirError} where the module's sweep has not begun; names where it was looked for
 */
export async function folderOfSweep(target: string, folder?: string): Promise<string> {
  if (readPlan(target) !== undefined || !isFile(target)) return target;
  const path = folder ?? usualFolder(await loadPipeline(target));
  if (readPlan(path) !== undefined) return path;
  throw new WeirError(
    `no sweep of ${target} has begun in ${path}`,
    'begin it by the same command without --status and --cancel, or name the folder of a sweep instead of the module',
  );
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** The same as `sweep`, with values as text. */
export async function sweepPoints({ module, points, set = [], seed = 0, ...settings }: PointsOptions): Promise<Sweep> {
  const pipeline = await loadPipeline(module);
  const ofAll = { set: set.filter((one) => !one.startsWith('seed=')), seed: seedIn(set) ?? seed };
  for (const point of points) checkSet(point, set);
  const asked = { module, pipeline, points, ...ofAll };
  jobsOf(asked); // reports errors before TensorFlow is loaded, which takes long
  if (settings.executor === 'slurm') await requireSlurm(); // before anything is written
  const folder = settings.folder ?? usualFolder(pipeline);
  const before = readPlan(folder);
  const slow = before?.slow ?? (await loadTensorFlow()).kind === 'wasm';
  const jobs = withBaselines(pipeline, jobsOf({ ...asked, fallback: slow ? pipeline.fallback : {} }));
  if (before === undefined) await tryOut(pipeline, jobs[0]!.config, jobs[0]!.seed); // reports errors that would end every job
  const threads = settings.threads ?? (before === undefined ? Number(process.env.WEIR_THREADS) || 1 : undefined);
  const { ledger, executor = 'local', slurmOptions } = settings;
  const plan = await planSweep(
    folder,
    {
      jobs,
      slow,
      executor,
      acceptChanges: settings.acceptChanges,
      ...(slurmOptions !== undefined && { slurmOptions }),
      ...(threads !== undefined && { threads }),
      ...(ledger !== undefined && { ledger }),
      ...(settings.dead !== undefined && { dead: settings.dead }),
    },
    await begunIn(folder),
  );
  for (const line of baselineNotes(pipeline, plan.jobs)) toError(`${line}\n`);
  return continueSweep(folder, plan, settings);
}

/** Goes on with the sweep of a folder. */
export async function continueSweep(folder: string, plan: SweepPlan, settings: SweepSettings = {}): Promise<Sweep> {
  const { keepGoing = true, retry = false, executor = plan.executor } = settings;
  if (executor === 'slurm') await requireSlurm();
  const chosen = (ledger: Ledger) => executorFor(folder, plan, settings, ledger);
  const result = await runSweep({ folder, plan, keepGoing, retry, executor: chosen });
  const reported =
    result.outcome === 'stopped'
      ? { leftOut: [], ranking: [] }
      : await reportSweep(folder, plan.jobs, settings.best ?? 'usual');
  return { folder, plan, ...result, ...reported };
}

/** The executor for the jobs of a plan. */
export function executorFor(folder: string, plan: SweepPlan, settings: SweepSettings, ledger: Ledger): Executor {
  const { id, threads } = plan;
  const { jobs, memory, options = [], executor = plan.executor, slurmOptions = plan.slurmOptions ?? [] } = settings;
  const log = ({ job }: { job: { name: string } }) => logOf(folder, job);
  const own = { options, log, ...(threads !== undefined && { threads }) };
  if (executor === 'slurm') {
    return new SlurmArrays({ folder, sweep: id, ledger, slurmOptions, ...own, ...(jobs !== undefined && { jobs }) });
  }
  const capacity = jobs ?? jobsThatFit(threads ?? availableParallelism(), memory);
  return new LocalProcesses({ capacity, ...own });
}

function seedIn(set: readonly string[]): number | undefined {
  const text = set.findLast((one) => one.startsWith('seed='))?.slice('seed='.length);
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new WeirError(`--set seed=${text}: a seed is a whole number`, 'give --seed N');
}

/** Cancels jobs of a sweep. @throws {WeirError} where there is no such job */
export async function cancelJobs(folder: string, plan: SweepPlan, names: readonly string[]): Promise<void> {
  const odd = names.find((name) => !plan.jobs.some((job) => job.name === name));
  if (odd !== undefined) {
    const known = plan.jobs.map(({ name }) => name);
    const all = `\`weir status ${folder}\` lists its ${known.length} jobs`;
    throw new WeirError(`the sweep in ${folder} has no job '${odd}'`, suggestion(odd, known, all));
  }
  const ledger = ledgerOf(folder, plan);
  try {
    for (const job of plan.jobs.filter(({ name }) => names.includes(name))) {
      const { state, lease } = ledger.cancel(job.name, 'by weir sweep --cancel');
      if (state !== 'running') continue;
      const { location } = lease ?? {};
      if (location?.kind === 'slurm') {
        await cancel(location.id === undefined ? [] : [location.id]);
        continue;
      }
      const holder = holderOf(folderOfJob(folder, job));
      if (holder?.alive === true) process.kill(holder.mark.pid, 'SIGTERM');
    }
  } finally {
    await ledger.close();
  }
}
