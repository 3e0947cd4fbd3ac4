import type { Outcome } from '../../src/flow/flow.js';
import { resolveConfig } from '../../src/run/config.js';
import { Execution } from '../../src/run/execution.js';
import type { Pipeline } from '../../src/run/pipeline.js';
import { unwatched } from '../../src/run/watch.js';
import type { MetricRecord } from '../../src/storage/metric-reader.js';
import { RunFolder } from '../../src/storage/run-folder.js';

/** A run of a pipeline with one network, called as the pipeline is, that begins. */
export const folderOf = (
  path: string,
  module: string,
  { name, config }: Pick<Pipeline, 'name' | 'config'>,
): RunFolder =>
  RunFolder.create(path, {
    module,
    pipeline: name,
    seed: 0,
    config: resolveConfig(config, {}, []),
    networks: [{ name }],
  });

/** Runs the rest of a run; where `stopAt` is given, asks it to stop at that update. */
export async function runUpTo(
  folder: RunFolder,
  pipeline: unknown,
  stopAt = Number.POSITIVE_INFINITY,
): Promise<Outcome> {
  const watch = {
    ...unwatched,
    record: ({ number }: MetricRecord) => {
      if (Number(number) >= stopAt) execution.requests.stop();
    },
  };
  const options = { snapshotEvery: 0.05, onSnapshotError: 'stop', watch } as const;
  const execution: Execution = new Execution(folder, pipeline as Pipeline, options);
  return execution.run();
}
