import { join, relative } from 'node:path';
import { toOutput } from '../flow/core-terminal.js';
import { controlAt } from '../monitor/monitor-at.js';
import type { Consensus } from '../ranks/consensus.js';
import { thisMachine } from '../run/machine.js';
import { RunIdentity } from '../run/run-identity.js';
import type { Pipeline } from '../run/run-pipeline.js';
import { resumable, runSession } from '../run/session.js';
import { Watcher } from '../run/terminal-watch.js';
import type { RunFolder } from '../storage/folder.js';
import { standingAt } from '../storage/run-state.js';
import { followRun } from './follow.js';
import type { ChangeSettings, RunningSettings } from './options.js';

/** What a run is a function of, as far as it was begun compared with what is there now. @throws {WeirError} that names what differs */
export async function identified(
  folder: RunFolder,
  pipeline: Pipeline,
  settings: ChangeSettings,
): Promise<RunIdentity> {
  const identity = await RunIdentity.of(folder, await thisMachine(), settings);
  await identity.check(pipeline, standingAt(folder));
  return identity;
}

/** Runs what is left of a run in this terminal, then says where it is; as one of several ranks, if rank 0 shows them. */
export async function goOn(
  folder: RunFolder,
  pipeline: Pipeline,
  settings: RunningSettings,
  together?: Consensus,
): Promise<void> {
  const identity = await identified(folder, pipeline, settings);
  const options = { ...settings, identity };
  if (together?.writes === false) {
    if ((await followRun(folder, pipeline, options, together)) !== 'done') process.exitCode = resumable;
    return;
  }
  const watch = new Watcher(folder, pipeline);
  for (const one of identity.said.splice(0)) watch.warn(one);
  try {
    const outcome = await runSession({
      folder,
      pipeline,
      options: { ...options, dead: settings.takeOver ?? [], watch, ...(together && { together }) },
      monitor: controlAt(settings),
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
