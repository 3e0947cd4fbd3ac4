import { join, resolve } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { resolveConfig, unknown } from '../run/run-config.js';
import type { Pipeline } from '../run/run-pipeline.js';
import type { Point } from './grid.js';
import { type Job, jobName } from './job.js';

/** What a sweep is asked for, checked against its pipeline before anything is trained. */
export interface JobsAsked {
  readonly module: string;
  readonly pipeline: Pipeline;
  readonly points: readonly Point[];
  /** `key=value` each, for all jobs. */
  readonly set?: readonly string[];
  /** Where no point has a seed. */
  readonly seed?: number;
  readonly fallback?: Readonly<Record<string, unknown>>;
}

/**
 * The jobs of a sweep, a point each, in order.
 *
 * @throws {WeirError} that names a key which the pipeline's config does not have, a value that it does not take (and what would be
 * right), or two points that are the same job
 */
export function jobsOf({ module, pipeline, points, set = [], seed = 0, fallback = {} }: JobsAsked): Job[] {
  const known = new Map<string, Job>();
  const keys = [...Object.keys(pipeline.config), 'seed', 'profile'];
  for (const point of points) {
    const odd = point.find(([key]) => !keys.includes(key));
    if (odd !== undefined) throw unknown('key', odd[0], keys);
    const values = point.filter(([key]) => key !== 'seed');
    const own = { seed: seedOf(point) ?? seed, config: configOf({ pipeline, values, set, fallback }) };
    const name = jobName(point, own);
    const job: Job = {
      ...{ name, path: join('jobs', name), module: resolve(module), pipeline: pipeline.name },
      ...{ setting: values.map(([key, value]) => `${key}=${value}`).join(', '), ...own, after: [] },
    };
    pipeline.networks(job.config, job.seed); // what the pipeline itself refuses is told here
    const twin = known.get(identity(job));
    if (twin !== undefined) {
      const shown = point.map(([key, value]) => `${key}=${value}`).join(' ');
      throw new WeirError(`two jobs of the sweep are the same: ${twin.name} and ${shown}`, 'leave one of them out');
    }
    known.set(identity(job), job);
  }
  return [...known.values()];
}

const identity = ({ config, seed }: Job): string => JSON.stringify([config, seed]);

function configOf(job: {
  readonly pipeline: Pipeline;
  readonly values: Point;
  readonly set: readonly string[];
  readonly fallback: Readonly<Record<string, unknown>>;
}): Job['config'] {
  const { pipeline, values, set, fallback } = job;
  const both = values.find(([key]) => set.some((one) => one.startsWith(`${key}=`)));
  if (both !== undefined) {
    throw new WeirError(
      `'${both[0]}' is set for all jobs and for each`,
      'give it to --set or to the grid, not to both',
    );
  }
  const given = [...set, ...values.map(([key, value]) => `${key}=${value}`)];
  const config = resolveConfig(pipeline.config, pipeline.profiles, given, {
    ...{ fallback, said: 'in the sweep,', rules: pipeline.rules ?? [] },
  });
  return JSON.parse(JSON.stringify(config)) as Job['config']; // as it is kept, so that two can be compared
}

function seedOf(point: Point): number | undefined {
  const text = point.find(([key]) => key === 'seed')?.[1];
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new WeirError(`in the sweep, seed=${text}: a seed is a whole number`, 'give whole numbers from 0 to 2^53 - 1');
}
