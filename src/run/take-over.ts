import { join, resolve } from 'node:path';
import { MetricsLog } from '../observe/metrics-log.js';
import { readMetrics } from '../observe/metrics-reader.js';
import { RunFolder } from './folder.js';
import { trained } from './run-state.js';
import { weightsDigest } from './weights/of-snapshot.js';

/**
 * A new run that takes over the trained networks of a finished one and makes some of its streams anew.
 *
 * It begins with the other's metric log, less those streams, so its report tells the whole story.
 *
 * @param module where the pipeline module is @param accepted in what the other run is not what it was, as far as the user accepts it
 */
export function takeOver(
  source: RunFolder,
  path: string | undefined,
  config: Readonly<Record<string, unknown>>,
  streams: readonly string[],
  { module, accepted }: { readonly module: string; readonly accepted: readonly string[] },
): RunFolder {
  const { pipeline, seed, networks } = source.started;
  const kept = [...readMetrics(join(source.path, 'metrics.ndjson'))].filter(
    ({ stream }) => !streams.includes(String(stream)),
  );
  const again = streams.map((stream) => `${stream}$`);
  return RunFolder.create(path, { module, pipeline, seed, config, ...(networks && { networks }) }, (folder) => {
    const log = new MetricsLog(join(folder, 'metrics.ndjson'));
    for (const record of kept) log.append(record);
    log.flush({ sync: true });
    log.close();
    const weights = (networks ?? []).map(({ name }) => [name, weightsDigest(trained(source, name))] as const);
    return { run: resolve(source.path), again, logged: log.length, weights: Object.fromEntries(weights), accepted };
  });
}
