import { join, relative } from 'node:path';
import { Option } from 'commander';
import { WeirError } from '../flow/errors.js';
import type { Outcome } from '../flow/flow.js';
import { toError, toOutput } from '../flow/terminal.js';
import { controlAt } from '../monitor/access.js';
import { controlledBy } from '../monitor/control.js';
import type { RankConsensus } from '../ranks/consensus.js';
import { localRanksOf } from '../ranks/rendezvous.js';
import { errorOf, supervise } from '../ranks/supervisor.js';
import { Execution, type ExecutionOptions } from '../run/execution.js';
import type { Pipeline } from '../run/pipeline.js';
import { loadPipeline } from '../run/pipeline-module.js';
import { resumable, stopOnSignals } from '../run/process.js';
import { RunIdentity, thisMachine } from '../run/run-identity.js';
import { runSession } from '../run/session.js';
import { TerminalWatch } from '../run/terminal-watch.js';
import { unwatched } from '../run/watch.js';
import { checkFiles, moduleOf } from '../storage/identity-file.js';
import { RunFolder } from '../storage/run-folder.js';
import { networkInTraining } from '../storage/run-state.js';
import { shown } from './failure.js';
import { type ChangeSettings, count, positive, type RunningSettings } from './options.js';

/** Runs the rest of a run as a rank that writes and shows nothing; rank 0 does. */
async function followRun(
  folder: RunFolder,
  pipeline: Pipeline,
  options: Omit<ExecutionOptions, 'watch' | 'consensus'>,
  consensus: RankConsensus,
): Promise<Outcome> {
  const execution = new Execution(folder, pipeline, { ...options, watch: unwatched, consensus });
  const release = stopOnSignals(() => execution.requests.stop(), false);
  try {
    return await execution.run();
  } finally {
    release();
  }
}

/** A run that is there, and its pipeline, whose files are compared first: TensorFlow is not loaded yet, which takes long. */
export async function openRun(path: string, settings: ChangeSettings) {
  const folder = RunFolder.open(path);
  const module = moduleOf(folder, settings.module);
  const files = await checkFiles(folder, module, settings);
  return { folder, module, files, pipeline: await loadPipeline(module) };
}

/** The identity of a run, compared with its data, code and machine as they are now. @throws {WeirError} names what differs */
export async function identified(
  folder: RunFolder,
  pipeline: Pipeline,
  settings: ChangeSettings,
): Promise<RunIdentity> {
  const identity = await RunIdentity.of(folder, await thisMachine(), settings);
  await identity.check(pipeline, networkInTraining(folder));
  return identity;
}

/** Runs the rest of a run in this terminal and prints its folder; as one of several ranks where there is a consensus. */
export async function continueRun(
  folder: RunFolder,
  pipeline: Pipeline,
  settings: RunningSettings,
  consensus?: RankConsensus,
): Promise<void> {
  const identity = await identified(folder, pipeline, settings);
  const options = { ...settings, identity };
  if (consensus?.writes === false) {
    if ((await followRun(folder, pipeline, options, consensus)) !== 'done') process.exitCode = resumable;
    return;
  }
  const watch = new TerminalWatch(folder, pipeline);
  for (const one of identity.said.splice(0)) watch.warn(one);
  try {
    const outcome = await runSession({
      folder,
      pipeline,
      options: { ...options, dead: settings.takeOver ?? [], watch, ...(consensus && { consensus }) },
      control: controlledBy(controlAt(settings)),
    });
    watch.close();
    if (outcome === 'done') {
      toOutput(`report  ${relative(process.cwd(), join(folder.report, 'report.html'))}\n`);
    } else {
      toOutput(`stopped; go on with: weir resume ${folder.shown}\n`);
      process.exitCode = resumable;
    }
  } finally {
    watch.close();
  }
  toOutput(`${folder.shown}\n`);
}

type BatchNorm = 'local' | 'synchronized';

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
    'how long a rank may be without an update before it counts as hung (at least half an hour until its first)',
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
