import type { Outcome } from '../../src/flow/flow.js';
import { resolveConfig } from '../../src/run/config.js';
import { Execution } from '../../src/run/execution.js';
import { checkFork, planFork } from '../../src/run/fork.js';
import type { Pipeline } from '../../src/run/pipeline.js';
import type { RunIdentity } from '../../src/run/run-identity.js';
import { unwatched } from '../../src/run/watch.js';
import type { MetricRecord } from '../../src/storage/metric-reader.js';
import { plannedNetworks, RunFolder } from '../../src/storage/run-folder.js';
import module from './forking.js';

const pipeline = module as unknown as Pipeline;
const start = { module: 'test/run/forking.ts', pipeline: pipeline.name, seed: 0 };
const networksOf = (config: Record<string, unknown>) => plannedNetworks(pipeline.networks(config, 0), config);

/** A run of test/run/forking.ts that begins. */
export function begin(path: string, ...settings: string[]): RunFolder {
  const config = resolveConfig(pipeline.config, {}, settings);
  return RunFolder.create(path, { ...start, config, networks: networksOf(config) });
}

/** Runs the rest of a run, up to the record that `stopAt` picks. */
export async function run(
  folder: RunFolder,
  stopAt: (record: MetricRecord) => boolean = () => false,
  identity?: RunIdentity,
): Promise<Outcome> {
  const record = (one: MetricRecord): void => {
    if (stopAt(one)) execution.requests.stop();
  };
  const options = { snapshotEvery: 1e6, snapshotUpdates: 7, snapshotKeep: 2, onSnapshotError: 'stop' } as const;
  const watch = { ...unwatched, record };
  const execution: Execution = new Execution(folder, pipeline, { ...options, watch, identity });
  return execution.run();
}

/** A fork of a run, which has not begun. */
export async function forked(of: RunFolder, at: number, path: string, ...settings: string[]): Promise<RunFolder> {
  const plan = planFork(of, pipeline, { at, settings });
  await checkFork(pipeline, plan);
  const { config, origin } = plan;
  return RunFolder.create(path, { ...start, config, networks: networksOf(config), origin });
}
