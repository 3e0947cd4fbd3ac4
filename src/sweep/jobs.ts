import { join, resolve } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { unknown } from '../run/config.js';
import { configOf, type Pipeline } from '../run/pipeline.js';
import { loadPipeline } from '../run/pipeline-module.js';
import { sha256Of } from '../storage/digest.js';
import type { ModuleFiles } from '../storage/module-files.js';
import type { RunConfig } from '../storage/run-folder.js';
import type { Point } from './grid.js';

/** A job of a sweep: one run in a folder of its own. Plain data. */
export interface Job {
  /** Unique in the sweep; names the job's folder, and depends on its values alone. */
  readonly name: string;
  /** The folder of its run, relative to the sweep's. */
  readonly path: string;
  /** The pipeline module, as an absolute path. */
  readonly module: string;
  /** SHA-256 of the module and its imports when the sweep was planned: all jobs of a module run the same code. */
  readonly files?: ModuleFiles;
  readonly pipeline: string;
  /** Its values apart from the seed; a report puts jobs with the same setting together. */
  readonly setting: string;
  readonly seed: number;
  readonly config: RunConfig['config'];
  /** Names of jobs that must be done before it starts. */
  readonly after: readonly string[];
  /**
   * Of a job that trains the unregularized networks of others: these by name, with the epochs at whose end networks of the others branch
   * off; and the keys whose values make no difference to them.
   */
  readonly trains?: {
    readonly networks: Readonly<Record<string, readonly number[]>>;
    readonly across: readonly string[];
  };
  /** The networks that it does not train itself, and the job that trains them. */
  readonly takes?: { readonly job: string; readonly networks: readonly string[] };
}

const longestName = 80; // characters of a folder's name

/**
 * The name of a job, by its values: `gamma-0.01-seed-3`. A name that is too long, or has characters that do not suit a file name, is cut and ends in
 * a digest of the job's config and seed.
 */
export function jobName(point: Point, { config, seed }: Pick<Job, 'config' | 'seed'>): string {
  const plain = point.length > 0 && point.every(([key, value]) => /^[\w.]+$/.test(key) && /^-?[\w.+]+$/.test(value));
  const name = point.map(([key, value]) => `${key}-${value}`).join('-');
  if (plain && name.length <= longestName) return name;
  const digest = sha256Of(JSON.stringify([seed, Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1))]));
  const readable = name.replace(/[^\w.+]+/g, '-').slice(0, longestName - 9);
  return [readable.replace(/^-+|-+$/g, '') || 'job', digest.slice(0, 8)].join('-');
}

/** A job and the point that it was made of. */
export interface PointJob {
  readonly job: Job;
  readonly point: Point;
}

export interface JobsOptions {
  readonly module: string;
  readonly pipeline: Pipeline;
  readonly points: readonly Point[];
  /** `key=value` each, for all jobs. */
  readonly set?: readonly string[];
  /** The seed of points that have none. */
  readonly seed?: number;
  readonly fallback?: Readonly<Record<string, unknown>>;
}

/**
 * The jobs of a sweep, one a point, in order. All are checked against the pipeline's config before anything is trained.
 *
 * @throws {WeirError} names an unknown key, an invalid value and what is valid, or two points that are the same job
 */
export function jobsOf({ module, pipeline, points, set = [], seed = 0, fallback = {} }: JobsOptions): PointJob[] {
  const known = new Map<string, PointJob>();
  const keys = [...Object.keys(pipeline.config), 'seed', 'profile'];
  for (const point of points) {
    const odd = point.find(([key]) => !keys.includes(key));
    if (odd !== undefined) throw unknown('key', odd[0], keys);
    const [twice] = point.find(([key], i) => point.findIndex((one) => one[0] === key) !== i) ?? [];
    if (twice !== undefined) {
      throw new WeirError(`'${twice}' is given by the list and by the grid`, 'give it in one of them');
    }
    const values = point.filter(([key]) => key !== 'seed');
    checkSet(values, set);
    const given = [...set, ...values.map(([key, value]) => `${key}=${value}`)];
    const config = stored(pipeline, given, { fallback, source: 'in the sweep,' });
    const own = { seed: seedOf(point) ?? seed, config };
    const name = jobName(point, own);
    const job: Job = {
      name,
      path: join('jobs', name),
      module: resolve(module),
      pipeline: pipeline.name,
      setting: values.map(([key, value]) => `${key}=${value}`).join(', '),
      ...own,
      after: [],
    };
    pipeline.networks(job.config, job.seed); // throws where the pipeline refuses these values
    const twin = known.get(identity(job));
    if (twin !== undefined) {
      const shown = point.map(([key, value]) => `${key}=${value}`).join(' ');
      throw new WeirError(`two jobs of the sweep are the same: ${twin.job.name} and ${shown}`, 'leave one of them out');
    }
    known.set(identity(job), { job, point });
  }
  return [...known.values()];
}

const identity = ({ config, seed }: Job): string => JSON.stringify([config, seed]);

/** The config of a job, as it is stored, so that two configs can be compared. */
const stored = (...of: Parameters<typeof configOf>): Job['config'] => JSON.parse(JSON.stringify(configOf(...of)));

/** @throws {WeirError} where a key is set for all jobs and for one */
export function checkSet(values: Point, set: readonly string[]): void {
  const both = values.find(([key]) => set.some((one) => one.startsWith(`${key}=`)));
  if (both === undefined) return;
  throw new WeirError(`'${both[0]}' is set for all jobs and for each`, 'give it to --set or to the grid, not to both');
}

function seedOf(point: Point): number | undefined {
  const text = point.find(([key]) => key === 'seed')?.[1];
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new WeirError(`in the sweep, seed=${text}: a seed is a whole number`, 'give whole numbers from 0 to 2^53 - 1');
}

export interface ReproductionOptions {
  readonly module: string;
  readonly seed: number;
  /** The folder of the experiment, with a folder for each run. */
  readonly into: string;
  /** `key=value` each; they override those of every setting. */
  readonly set: readonly string[];
  readonly fallback?: (pipeline: Pipeline) => Readonly<Record<string, unknown>>;
}

/**
 * The runs of an experiment as jobs of a sweep, in order: first those of the pipeline that it builds upon, then one for each setting,
 * each after the run whose networks it uses. The same arguments give the same folders, so the same command goes on with an experiment.
 */
export async function jobsOfExperiment({
  module,
  seed,
  into,
  set,
  fallback = () => ({}),
}: ReproductionOptions): Promise<Job[]> {
  const chain = await chainOf(module);
  const unknown = set.filter((setting) => !chain.some(({ pipeline }) => hasKey(pipeline, setting)));
  const jobs: Job[] = [];
  for (const { pipeline, module } of chain) {
    const from = jobs.at(-1);
    const own = set.filter((setting) => hasKey(pipeline, setting));
    for (const [setting, values] of Object.entries(pipeline.reproduce.settings ?? { '': [] })) {
      const source = from === undefined ? [] : [`from=${join(into, from.path)}`];
      const all = [...values, ...source, ...own, ...unknown]; // an unknown key is reported here
      const name = [pipeline.name, folderName(setting)].filter(Boolean).join('-');
      jobs.push({
        name,
        path: name,
        module: resolve(module),
        pipeline: pipeline.name,
        setting,
        seed,
        config: stored(pipeline, all, { fallback: fallback(pipeline) }),
        after: from === undefined ? [] : [from.name],
      });
    }
  }
  return jobs;
}

/** The jobs of these settings of the experiment, and all jobs of the pipelines that it builds upon. */
export function jobsOfSettings(jobs: readonly Job[], only: readonly string[] | undefined): readonly Job[] {
  if (only === undefined) return jobs;
  const own = jobs.filter(({ module }) => module === jobs.at(-1)!.module);
  const odd = only.find((setting) => !own.some((job) => job.setting === setting));
  if (odd === undefined) return jobs.filter((job) => !own.includes(job) || only.includes(job.setting));
  const known = own.map(({ setting }) => `'${setting}'`).join(', ');
  throw new WeirError(`there is no setting '${odd}'`, `settings of this experiment: ${known}`);
}

/** The pipeline after those that it builds upon. */
async function chainOf(module: string): Promise<{ readonly pipeline: Pipeline; readonly module: string }[]> {
  const pipeline = await loadPipeline(module);
  const { after } = pipeline.reproduce;
  const before = after === undefined ? [] : await chainOf(join(module, '..', `${after}.ts`));
  return [...before, { pipeline, module }];
}

/** Whether the key of this `key=value` is one of the pipeline's. */
function hasKey({ config }: Pipeline, setting: string): boolean {
  const key = setting.split('=', 1)[0]!;
  return key === 'profile' || Object.hasOwn(config, key);
}

/** The path of a module by name or path: `xor` is `pipelines/xor.ts` of this package. */
export function moduleOf(name: string): string {
  if (/[/\\.]/.test(name)) return name;
  return join(import.meta.dirname, '../../pipelines', `${name}.ts`);
}

const folderName = (setting: string): string => setting.toLowerCase().replace(/[^a-z0-9]+/g, '-');
