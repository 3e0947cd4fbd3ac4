import { Option } from 'commander';
import { placeOf } from '../ranks/place.js';
import { asError, supervise } from '../ranks/supervise.js';
import { shown } from './failure.js';
import { count, positive } from './options.js';

export interface RankSettings {
  readonly ranks?: number;
  readonly batchNorm: 'local' | 'synchronised';
  readonly ranksWait: number;
  readonly ranksPatience: number;
}

/** What a command can be told that several ranks may run together. */
export const rankOptions = (): Option[] => [
  new Option('--ranks <n>', 'processes that train together, each on its share of every batch').argParser(count),
  new Option('--batch-norm <over>', "with ranks: over each one's share of a batch, or over all of it")
    .choices(['local', 'synchronised'])
    .default('local'),
  new Option('--ranks-wait <seconds>', 'how long to wait for other machines at the start')
    .argParser(positive)
    .default(60),
  new Option('--ranks-patience <seconds>', 'after how long without an update a rank counts as hung')
    .argParser(positive)
    .default(600),
];

/**
 * Where this command is to be run by several ranks: starts and watches them.
 *
 * @param asked how many, where the command was not told
 * @returns whether that was so, and all is done
 */
export async function ranAsRanks(settings: RankSettings, asked = settings.ranks): Promise<boolean> {
  const place = placeOf(settings.ranks ?? asked, process.env);
  if (place === undefined) return false;
  const verdict = await supervise({
    ...{ place, args: process.argv.slice(2), synchronised: settings.batchNorm === 'synchronised' },
    ...{ wait: settings.ranksWait, patience: settings.ranksPatience },
  });
  const error = asError(verdict);
  if (error !== undefined && verdict.status !== 0) process.stderr.write(`${shown(error)}\n`);
  process.exitCode = verdict.status;
  return true;
}
