import { join, resolve } from 'node:path';
import { RunFolder } from '../storage/folder.js';
import { MetricsLog } from '../storage/metrics-log.js';
import { trained } from '../storage/run-state.js';
import { weightsDigest } from './of-snapshot.js';
import { recordsOf } from './run-log.js';

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
  const kept = [...recordsOf(source)].filter(({ stream }) => !streams.includes(String(stream)));
  const again = streams.map((stream) => `${stream}$`);
  return RunFolder.create(path, { module, pipeline, seed, config, ...(networks && { networks }) }, (folder) => {
    const log = new MetricsLog(join(folder, 'metrics.ndjson'));
    try {
      log.cutBack({ bytes: 0 }); // what an attempt left that failed here, on a full disk say
      for (const record of kept) log.append(record);
      log.flush({ sync: true });
      const weights = (networks ?? []).map(({ name }) => [name, weightsDigest(trained(source, name))] as const);
      return { run: resolve(source.path), again, logged: log.mark, weights: Object.fromEntries(weights), accepted };
    } finally {
      log.close();
    }
  });
}
