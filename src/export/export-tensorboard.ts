import { join } from 'node:path';
import { WeirError } from '../flow/errors.js';
import type { RunConfig } from '../storage/folder.js';
import { makeFolder } from '../storage/make-folder.js';
import type { MetricRecord } from '../storage/metrics-log.js';
import { experiment, type Hparams } from './hparams.js';
import { NetworkEvents } from './network-events.js';
import { EventFile } from './tensorboard-event-file.js';

export interface Exported {
  readonly networks: number;
  readonly records: number;
}

/**
 * A run's metric log as event files of TensorBoard, a folder a network:
 *
 * - scalars: every number of a stream of moments, by update (`updates/loss`, `tests/accuracy`, `sigmas/sigma.hidden1`);
 * - histograms: what was measured sample by sample (`attacks/distance`, `certificates/lower.l2`), and its mean as a scalar; both are
 *   over finite numbers, and where there are others a scalar says how many (`attacks/distance (not finite)`);
 * - images: the attacks whose pictures the log has, original, perturbation and adversarial sample side by side;
 * - hyperparameters: the run's config, seed and regularizer, with the last accuracies, losses and mean distances.
 *
 * Reads the log once. Bound: of what is measured by samples the numbers are kept, of all else the last.
 *
 * @param done whether the run is through
 */
export function exportTensorBoard(
  folder: string,
  started: Pick<RunConfig, 'pipeline' | 'config' | 'createdAt'>,
  records: Iterable<MetricRecord>,
  done: boolean,
): Exported {
  const begun = Date.parse(started.createdAt) / 1000;
  const name = `events.out.tfevents.${Math.floor(begun)}.weir`; // the same for a run, so that it takes an earlier export's place
  const config = hparamsOf(started.config);
  const files: EventFile[] = [];
  const networks = new Map<string, NetworkEvents>();
  const file = (...inside: string[]): EventFile => {
    const own = join(folder, ...inside);
    try {
      makeFolder(own);
    } catch (cause) {
      throw new WeirError(`cannot make ${own}: ${(cause as Error).message}`, 'give a folder that can be written to', {
        cause,
      });
    }
    files.push(new EventFile(join(own, name), begun));
    return files.at(-1)!;
  };
  let count = 0;
  try {
    for (const record of records) {
      const network = String(record.network);
      let events = networks.get(network);
      if (events === undefined) {
        events = new NetworkEvents(network, file(asFolder(network)), begun, config);
        networks.set(network, events);
      }
      events.add(record);
      count++;
    }
    const all = [...networks.values()];
    for (const events of all) events.end(done);
    const hparams = Object.assign({}, ...all.map((events) => events.hparams)) as Hparams;
    const metrics = [...new Set(all.flatMap((events) => events.metrics))].sort();
    file().append(begun, 0, [experiment(started.pipeline, begun, hparams, metrics)]);
    for (const one of files) one.close();
  } catch (error) {
    for (const one of files) one.abandon();
    throw error;
  }
  return { networks: networks.size, records: count };
}

/** A config's values as TensorBoard takes them: a list as its words. */
function hparamsOf(config: Readonly<Record<string, unknown>>): Hparams {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => {
      if (value === null || value === undefined) return [];
      if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') return [[key, value]];
      return [[key, Array.isArray(value) ? value.join(',') : JSON.stringify(value)]];
    }),
  );
}

/** A name from a file may not lead out of the folder. */
const asFolder = (network: string): string => network.replace(/[^\p{L}\p{N} ._-]/gu, '-').replace(/^\.+/, '-') || '-';
