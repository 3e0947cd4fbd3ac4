import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { WeirError } from '../flow/errors.js';
import { writeAtomically } from '../storage/disk.js';
import { version } from '../storage/file-format.js';
import { moduleChanges } from '../storage/identity.js';
import { lockWhenFree } from '../storage/lock.js';
import { moduleFiles } from '../storage/module-files.js';
import type { Job } from './jobs.js';
import { Ledger, refuseNetwork } from './ledger.js';

const format = 2;

/** A sweep, as `sweep.json` in its folder stores it. Plain data; the states of its jobs are in the ledger. */
export interface SweepPlan {
  readonly format: number;
  readonly weir: string;
  /** Identifies the sweep's ledger. */
  readonly id: string;
  readonly createdAt: string;
  /** Threads of every job; fixed, so that results do not depend on how many jobs run at once. All cores where left out. */
  readonly threads?: number;
  /** Whether jobs use their pipeline's values for WebAssembly, as on the machine that began the sweep. */
  readonly slow: boolean;
  /** The executor of its first command: the default of later ones. */
  readonly executor: 'local' | 'slurm';
  readonly slurmOptions?: readonly string[];
  /** Folder of the ledger; by default `ledger` in the sweep's folder. */
  readonly ledger?: string;
  /** The machine whose disk that folder is on. */
  readonly host?: string;
  readonly jobs: readonly Job[];
}

/** The plan of the sweep in this folder; undefined where there is none. @throws {WeirError} where it cannot be read */
export function readPlan(folder: string): SweepPlan | undefined {
  const file = planFile(folder);
  if (!existsSync(file)) return undefined;
  let plan: SweepPlan;
  try {
    plan = JSON.parse(readFileSync(file, 'utf8')) as SweepPlan;
  } catch (cause) {
    throw new WeirError(`${file} is no sweep: ${(cause as Error).message}`, 'begin the sweep in another folder', {
      cause,
    });
  }
  if (plan.format === format) return plan;
  throw new WeirError(
    `the sweep in ${folder} has format ${plan.format}, and this version of Weir (${version}) reads format ${format}`,
    `use Weir ${plan.weir} for it`,
  );
}

export interface PlanRequest
  extends Pick<SweepPlan, 'threads' | 'slow' | 'executor' | 'slurmOptions' | 'ledger' | 'jobs'> {
  /** Whether jobs of the existing plan may be missing here. */
  readonly part?: boolean;
  /** Processes of other machines that the user declares dead. */
  readonly dead?: readonly string[];
  /** Accepts a changed module: jobs that have not begun use the new one. */
  readonly acceptChanges?: boolean | undefined;
}

/**
 * Makes the plan of a sweep, or adds these jobs to the plan that the folder has, and writes it where it changed.
 *
 * @param begun whether a job has begun: then its values may not change
 * @throws {WeirError} where the folder holds another sweep; names the first difference
 */
export async function planSweep(folder: string, wanted: PlanRequest, begun: (job: Job) => boolean): Promise<SweepPlan> {
  const jobs = await Promise.all(wanted.jobs.map(async (job) => ({ ...job, files: await moduleFiles(job.module) })));
  // Of two processes that begin a sweep at once, the second reads the plan of the first.
  const lock = await lockWhenFree(folder, { dead: wanted.dead ?? [], kind: 'folder of the sweep', patience: 10_000 });
  try {
    return planLocked(folder, { ...wanted, jobs }, begun);
  } finally {
    lock.release();
  }
}

function planLocked(folder: string, wanted: PlanRequest, begun: (job: Job) => boolean): SweepPlan {
  const before = readPlan(folder);
  if (before === undefined && wanted.ledger === undefined) refuseNetwork(folder); // before anything is written
  const plan: SweepPlan =
    before === undefined ? newPlan(wanted) : { ...before, jobs: mergedJobs(folder, before, wanted, begun) };
  if (before !== undefined) checkUnchanged(folder, before, wanted);
  if (!isDeepStrictEqual(plan, before)) write(folder, plan);
  return plan;
}

/** The folder of a job's run. */
export const folderOfJob = (folder: string, { path }: Pick<Job, 'path'>): string => join(folder, path);

/** The jobs of a sweep's points, without those that train networks for them. */
export const pointJobs = (jobs: readonly Job[]): Job[] => jobs.filter(({ trains }) => trains === undefined);

/** The folders of runs that have begun. */
export const begunRuns = (folder: string, { jobs }: Pick<SweepPlan, 'jobs'>): string[] =>
  jobs.map((job) => folderOfJob(folder, job)).filter((path) => existsSync(join(path, 'config.json')));

/** The folder of the ledger. */
const ledgerFolder = (folder: string, { ledger }: Pick<SweepPlan, 'ledger'>): string =>
  ledger ?? join(folder, 'ledger');

const planFile = (folder: string): string => join(folder, 'sweep.json');

const newPlan = ({ part: _, acceptChanges: __, dead: ___, ledger, ...wanted }: PlanRequest): SweepPlan => ({
  format,
  weir: version,
  id: randomUUID(),
  createdAt: new Date().toISOString(),
  ...wanted,
  ...(ledger !== undefined && { ledger: resolve(ledger), host: hostname() }),
});

function mergedJobs(folder: string, before: SweepPlan, wanted: PlanRequest, begun: (job: Job) => boolean): Job[] {
  const known = new Map(before.jobs.map((job) => [job.name, job]));
  const asked = new Map(wanted.jobs.map((job) => [job.name, job]));
  const lost = before.jobs.find(({ name, trains }) => trains === undefined && !asked.has(name));
  if (lost !== undefined && !wanted.part) {
    throw new WeirError(
      `${folder} holds a sweep of ${before.jobs.length} jobs with '${lost.name}' among them, which is not asked for here`,
      'choose another folder with --run, or ask for the same jobs or more; `weir sweep FOLDER` goes on with the jobs that it has',
    );
  }
  if (!wanted.acceptChanges) refuseEdited(folder, before.jobs, wanted.jobs);
  for (const job of wanted.jobs) {
    const was = known.get(job.name);
    known.set(job.name, job);
    if (was === undefined || !begun(was)) continue;
    refuseOther(join(folder, job.path), across(was), across(job));
    known.set(job.name, asBegun(was, job));
  }
  const all = [...known.values()];
  return all.filter(
    (job) => job.trains === undefined || begun(job) || all.some(({ takes }) => takes?.job === job.name),
  );
}

/** A job that trains networks for others has the values of one of these, be it another one by now: the keys that make no difference are left out. */
const across = ({ config, trains, ...job }: Job): JobValues => ({
  ...job,
  config: Object.fromEntries(Object.entries(config).filter(([key]) => !trains?.across.includes(key))),
});

/** A job that has begun, as it is asked for now: what it trains itself stays as it was. */
function asBegun({ trains, takes, after, config }: Job, { trains: _, takes: __, ...job }: Job): Job {
  return { ...job, after, config, ...(trains && { trains }), ...(takes && { takes }) };
}

/** @throws {WeirError} where the code of new jobs differs from that of the existing jobs; names the file */
function refuseEdited(folder: string, before: readonly Job[], wanted: readonly Job[]): void {
  for (const { module, files } of wanted) {
    const was = before.find((job) => job.module === module && job.files !== undefined);
    const changes = was === undefined ? [] : moduleChanges(was.files!, files!, module);
    if (changes.length === 0) continue;
    throw new WeirError(
      `the code of the sweep in ${folder} has changed: ${changes.join('; ')}`,
      'restore the code, or begin another sweep with --run; --accept-changes goes on all the same',
    );
  }
}

type JobValues = Pick<Job, 'pipeline' | 'seed' | 'config'>;

/** @throws {WeirError} where a run that has begun is asked for with other values; names the first key that differs */
export function refuseOther(
  path: string,
  was: JobValues,
  is: JobValues,
  remedy = 'choose another folder with --run, or ask for the same to go on with it',
): void {
  const other = otherValue(was, is);
  if (other === undefined) return;
  const { key, old, asked } = other;
  throw new WeirError(
    `${path} was begun with ${key}=${String(old)}, and this asks for ${key}=${String(asked)}`,
    remedy,
  );
}

/** The first key in which the values of two jobs differ, with both values; undefined where they are the same. */
export function otherValue(
  was: JobValues,
  is: JobValues,
): { readonly key: string; readonly old: unknown; readonly asked: unknown } | undefined {
  const flat = ({ pipeline, seed, config }: JobValues) =>
    JSON.parse(JSON.stringify({ pipeline, seed, ...config })) as Record<string, unknown>;
  const [old, asked] = [flat(was), flat(is)];
  const key = Object.keys({ ...asked, ...old }).find((one) => !isDeepStrictEqual(asked[one], old[one]));
  return key === undefined ? undefined : { key, old: old[key], asked: asked[key] };
}

function checkUnchanged(folder: string, before: SweepPlan, { threads, ledger }: PlanRequest): void {
  if (threads !== undefined && threads !== before.threads) {
    throw new WeirError(
      `the sweep in ${folder} was begun with ${before.threads ?? 'all'} threads a job, and this asks for ${threads}`,
      'leave --threads out: the number of threads decides the bits of the results',
    );
  }
  if (ledger === undefined || resolve(ledger) === ledgerFolder(resolve(folder), before)) return;
  throw new WeirError(
    `the ledger of the sweep in ${folder} is ${ledgerFolder(folder, before)}, and this asks for ${ledger}`,
    'leave --ledger out',
  );
}

const write = (folder: string, plan: SweepPlan): void =>
  writeAtomically(planFile(folder), `${JSON.stringify(plan, undefined, 2)}\n`, {
    remedy: 'choose another folder with --run',
  });

/** Opens the ledger of the sweep in this folder. @throws {WeirError} where it belongs to another sweep, or is on a disk of another machine */
export function ledgerOf(folder: string, plan: SweepPlan): Ledger {
  if (plan.host !== undefined && plan.host !== hostname()) {
    throw new WeirError(
      `the ledger of the sweep in ${folder} is on the machine '${plan.host}', in ${plan.ledger}`,
      `go on from there; if that disk is lost, remove "ledger" and "host" from ${folder}/sweep.json`,
    );
  }
  return Ledger.open(ledgerFolder(folder, plan), plan.id);
}
