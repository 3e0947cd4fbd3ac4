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

/** Options of a command that several ranks may run together. */
export const rankOptions = (): Option[] => [ranksOption(), batchNormOption().default('local'), ...timeOptions()];

/** The same of a command that resumes a run: without a default, so that the run's own batch norm holds unless one is given. */
export const resumedRankOptions = (): Option[] => [ranksOption(), batchNormOption(), ...timeOptions()];

export type ResumedRankSettings = Omit<RankSettings, 'batchNorm'> & { readonly batchNorm?: BatchNorm };

const ranksOption = (): Option =>
  new Option('--ranks <n>', 'processes that train together, each on its share of every batch').argParser(count);
const batchNormOption = (): Option =>
  new Option(
    '--batch-norm <over>',
    "with ranks: normalize over each rank's share of a batch, or over the whole batch",
  ).choices(['local', 'synchronized']);
const timeOptions = (): Option[] => [
  new Option('--ranks-wait <seconds>', 'how long to wait for other machines at the start')
    .argParser(positive)
    .default(60),
  new Option(
    '--ranks-patience <seconds>',
    'a rank without an update for so long counts as hung (at least half an hour until its first)',
  )
    .argParser(positive)
    .default(600),
];

/** The batch norm of a resumed run. @throws {WeirError} where another was given than the run was begun with */
export function sameBatchNorm(begun: BatchNorm | undefined, given: BatchNorm | undefined): BatchNorm {
  if (begun === undefined || given === undefined || begun === given) return begun ?? given ?? 'local';
  throw new WeirError(
    `this run was begun with --batch-norm ${begun}, and is to go on with --batch-norm ${given}`,
    'leave --batch-norm out, or begin another run',
  );
}

/**
 * Starts and watches the ranks of this command, where there are several, and sets the exit status.
 *
 * @param before how many ranks the run was begun with
 * @returns false where the command is to run by itself
 */
export async function ranAsRanks(settings: RankSettings, before?: number): Promise<boolean> {
  const local = localRanksOf(settings.ranks, process.env, before);
  if (local === undefined) return false;
  const verdict = await supervise({
    local,
    args: process.argv.slice(2),
    synchronized: settings.batchNorm === 'synchronized',
    wait: settings.ranksWait,
    patience: settings.ranksPatience,
  });
  const error = errorOf(verdict);
  if (error !== undefined && verdict.status !== 0) toError(`${shown(error)}\n`);
  process.exitCode = verdict.status;
  return true;
}
