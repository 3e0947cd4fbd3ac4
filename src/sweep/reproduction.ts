import { join, resolve } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { resolveConfig } from '../run/config.js';
import type { Pipeline } from '../run/pipeline.js';
import { loadPipeline } from '../run/pipeline-module.js';
import type { Job } from './jobs.js';

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
      const config = resolveConfig(pipeline.config, pipeline.profiles, all, {
        fallback: fallback(pipeline),
        rules: pipeline.rules ?? [],
      });
      const name = [pipeline.name, folderName(setting)].filter(Boolean).join('-');
      jobs.push({
        name,
        path: name,
        module: resolve(module),
        pipeline: pipeline.name,
        setting,
        seed,
        config: JSON.parse(JSON.stringify(config)) as Job['config'],
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
