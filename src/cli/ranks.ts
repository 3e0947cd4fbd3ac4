import { Option } from 'commander';
import { WeirError } from '../flow/errors.js';
import { toError } from '../flow/terminal.js';
import { localRanksOf } from '../ranks/rendezvous.js';
import { errorOf, supervise } from '../ranks/supervisor.js';
import { shown } from './failure.js';
import { count, positive } from './options.js';

export type BatchNorm = 'local' | 'synchronized';

export interface RankSettings {
  readonly ranks?: number;
  readonly batchNorm: BatchNorm;
  readonly ranksWait: number;
  readonly ranksPatience: number;
}

/** What a command can be told that several ranks may run together. */
export const rankOptions = (): Option[] => [ranksOption(), batchNormOption().default('local'), ...timeOptions()];

/** The same of one that goes on: without a default, so that what was begun with holds unless something is given. */
export const resumedRankOptions = (): Option[] => [ranksOption(), batchNormOption(), ...timeOptions()];

export type ResumedRankSettings = Omit<RankSettings, 'batchNorm'> & { readonly batchNorm?: BatchNorm };

const ranksOption = (): Option =>
  new Option('--ranks <n>', 'processes that train together, each on its share of every batch').argParser(count);
const batchNormOption = (): Option =>
  new Option('--batch-norm <over>', "with ranks: over each one's share of a batch, or over all of it").choices([
    'local',
    'synchronized',
  ]);
const timeOptions = (): Option[] => [
  new Option('--ranks-wait <seconds>', 'how long to wait for other machines at the start')
    .argParser(positive)
    .default(60),
  new Option(
    '--ranks-patience <seconds>',
    'after how long without an update a rank counts as hung (half an hour at least until the first)',
  )
    .argParser(positive)
    .default(600),
];

/** @throws {WeirError} where a run that was begun with one is to go on with another */
export function sameBatchNorm(begun: BatchNorm | undefined, given: BatchNorm | undefined): BatchNorm {
  if (begun === undefined || given === undefined || begun === given) return begun ?? given ?? 'local';
  throw new WeirError(
    `this run was begun with --batch-norm ${begun}, and is to go on with --batch-norm ${given}`,
    'leave --batch-norm out, or begin another run',
  );
}

/**
 * Where this command is to be run by several ranks: starts and watches them.
 *
 * @param before how many the run was begun with
 * @returns whether that was so, and all is done
 */
export async function ranAsRanks(settings: RankSettings, before?: number): Promise<boolean> {
  const place = localRanksOf(settings.ranks, process.env, before);
  if (place === undefined) return false;
  const verdict = await supervise({
    ...{ place, args: process.argv.slice(2), synchronized: settings.batchNorm === 'synchronized' },
    ...{ wait: settings.ranksWait, patience: settings.ranksPatience },
  });
  const error = errorOf(verdict);
  if (error !== undefined && verdict.status !== 0) toError(`${shown(error)}\n`);
  process.exitCode = verdict.status;
  return true;
}
