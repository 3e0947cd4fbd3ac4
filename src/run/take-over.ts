import { join, resolve } from 'node:path';
import { MetricsLog } from '../observe/metrics-log.js';
import { RunFolder } from './folder.js';
import { recordsOf } from './logged.js';

/**
 * A new run that takes over the trained networks of a finished one and makes some of its streams anew.
 *
 * It begins with the other's metric log, less those streams, so its report tells the whole story.
 */
export function takeOver(
  source: RunFolder,
  path: string | undefined,
  config: Readonly<Record<string, unknown>>,
  streams: readonly string[],
): RunFolder {
  const { module, pipeline, seed, networks } = source.started;
  const kept = [...recordsOf(source)].filter(({ stream }) => !streams.includes(String(stream)));
  const again = streams.map((stream) => `${stream}$`);
  return RunFolder.create(path, { module, pipeline, seed, config, ...(networks && { networks }) }, (folder) => {
    const log = new MetricsLog(join(folder, 'metrics.ndjson'));
    try {
      log.cutBack({ bytes: 0 }); // what an attempt left that failed here, on a full disk say
      for (const record of kept) log.append(record);
      log.flush({ sync: true });
      return { run: resolve(source.path), again, logged: log.mark };
    } finally {
      log.close();
    }
  });
}
