import { join } from 'node:path';
import { MetricsLog } from '../observe/metrics-log.js';
import { readMetrics } from '../observe/metrics-reader.js';
import { RunFolder } from './folder.js';

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
  const { module, pipeline, seed } = source.started;
  const kept = [...readMetrics(join(source.path, 'metrics.ndjson'))].filter(
    ({ stream }) => !streams.includes(String(stream)),
  );
  const logged = kept.reduce((bytes, record) => bytes + Buffer.byteLength(`${JSON.stringify(record)}\n`), 0);
  const from = { run: source.path, again: streams.map((stream) => `${stream}$`), logged };
  const folder = RunFolder.create(path, { module, pipeline, seed, config, from });
  const log = new MetricsLog(join(folder.path, 'metrics.ndjson'));
  for (const record of kept) log.append(record);
  log.flush({ sync: true });
  log.close();
  return folder;
}
