import { join, relative } from 'node:path';
import { toOutput } from '../../core/terminal.js';
import type { RunFolder } from '../folder.js';
import { thisMachine } from '../identity/machine.js';
import { RunIdentity } from '../identity/run-identity.js';
import { controlAt } from '../monitor/monitor-at.js';
import type { Pipeline } from '../pipeline.js';
import { followRun } from '../ranks/follow.js';
import type { Consensus } from '../ranks/together.js';
import { standingAt } from '../run-state.js';
import { resumable, runSession } from '../session.js';
import { Watcher } from '../watcher.js';
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
