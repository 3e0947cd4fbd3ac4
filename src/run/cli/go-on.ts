import { join, relative } from 'node:path';
import type { RunFolder } from '../folder.js';
import { controlAt } from '../monitor/monitor-at.js';
import type { Pipeline } from '../pipeline.js';
import { follow } from '../ranks/follow.js';
import type { Together } from '../ranks/together.js';
import { resumable, runSession } from '../session.js';
import { Watcher } from '../watcher.js';
import type { RunningSettings } from './options.js';

/** Runs what is left of a run in this terminal, then says where it is; as one of several ranks, if rank 0 shows them. */
export async function goOn(
  folder: RunFolder,
  pipeline: Pipeline,
  settings: RunningSettings,
  together?: Together,
): Promise<void> {
  if (together?.writes === false) {
    if ((await follow(folder, pipeline, settings, together)) !== 'done') process.exitCode = resumable;
    return;
  }
  const watch = new Watcher(folder, pipeline);
  try {
    const outcome = await runSession({
      folder,
      pipeline,
      options: { ...settings, dead: settings.takeOver ?? [], watch, ...(together && { together }) },
      monitor: controlAt(settings),
    });
    watch.close();
    if (outcome === 'done') {
      process.stdout.write(`report  ${relative(process.cwd(), join(folder.report, 'report.html'))}\n`);
    } else {
      process.stdout.write(`stopped; go on with: weir resume ${folder.shown}\n`);
      process.exitCode = resumable;
    }
  } finally {
    watch.close();
  }
  process.stdout.write(`${folder.shown}\n`);
}
