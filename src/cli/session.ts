import { join, relative } from 'node:path';
import type { Outcome } from '../flow/flow.js';
import { toOutput } from '../flow/terminal.js';
import { controlAt } from '../monitor/access.js';
import { controlledBy } from '../monitor/control.js';
import type { RankConsensus } from '../ranks/consensus.js';
import { Execution, type ExecutionOptions } from '../run/execution.js';
import { thisMachine } from '../run/machine.js';
import type { Pipeline } from '../run/pipeline.js';
import { resumable, stopOnSignals } from '../run/process.js';
import { RunIdentity } from '../run/run-identity.js';

import { runSession } from '../run/session.js';
import { TerminalWatch } from '../run/terminal-watch.js';
import { unwatched } from '../run/watch.js';
import type { RunFolder } from '../storage/run-folder.js';
import { networkInTraining } from '../storage/run-state.js';
import type { ChangeSettings, RunningSettings } from './options.js';

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
