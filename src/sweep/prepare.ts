import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadPipeline } from '../run/load-module.js';
import { planned as networksOf, RunFolder } from '../storage/folder.js';
import type { Job } from './job.js';
import { isFinished } from './outcome.js';
import { refuseOther } from './sweep-plan.js';

/**
 * Makes the folder of a job's run, or opens the one that is there; nothing in it is written over.
 *
 * @returns 'finished' where the run is done already
 * @throws {WeirError} when it holds a run of other values
 */
export async function prepare(
  { module, files, pipeline, setting, seed, config }: Job,
  path: string,
): Promise<'ready' | 'finished'> {
  if (!existsSync(join(path, 'config.json'))) {
    const networks = networksOf((await loadPipeline(module)).networks(config, seed));
    RunFolder.create(path, { module, pipeline, seed, config, setting, networks, ...(files && { files }) });
    return 'ready';
  }
  const run = RunFolder.open(path);
  refuseOther(path, run.started, { pipeline, seed, config });
  if (isFinished(path)) return 'finished';
  run.failure = undefined; // what ended an attempt before says nothing of this one
  return 'ready';
}
