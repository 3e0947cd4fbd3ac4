import { createHash } from 'node:crypto';
import type { RunConfig } from '../storage/folder.js';
import type { ModuleFiles } from '../storage/module-files.js';
import type { Point } from './grid.js';

/** A job of a sweep: one run in a folder of its own. Plain data. */
export interface Job {
  /** Unique in the sweep; names its folder, and is a pure function of what the job is. */
  readonly name: string;
  /** The folder of its run, as seen from the sweep's. */
  readonly path: string;
  /** The pipeline module, as an absolute path. */
  readonly module: string;
  /** SHA-256 of the module and of what it imports, as of when the sweep was planned: all jobs of a module run the same code. */
  readonly files?: ModuleFiles;
  readonly pipeline: string;
  /** What sets it apart, but for its seed; reports put what has the same together. */
  readonly setting: string;
  readonly seed: number;
  readonly config: RunConfig['config'];
  /** Names of jobs that must be done before it starts. */
  readonly after: readonly string[];
}

const longest = 80; // characters of a folder's name

/**
 * The name of a job by what is set: `gamma-0.01-seed-3`.
 *
 * Where that would be long, or hold what a file's name should not, it is cut and ends in a digest of the job's config and seed.
 */
export function jobName(point: Point, { config, seed }: Pick<Job, 'config' | 'seed'>): string {
  const plain = point.length > 0 && point.every(([key, value]) => /^[\w.]+$/.test(key) && /^-?[\w.+]+$/.test(value));
  const name = point.map(([key, value]) => `${key}-${value}`).join('-');
  if (plain && name.length <= longest) return name;
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1))]))
    .digest('hex')
    .slice(0, 8);
  const readable = name.replace(/[^\w.+]+/g, '-').slice(0, longest - digest.length - 1);
  return [readable.replace(/^-+|-+$/g, '') || 'job', digest].join('-');
}
