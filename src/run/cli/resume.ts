import { Command } from 'commander';
import { RunFolder } from '../folder.js';
import { loadPipeline } from '../load-module.js';
import { stopWithParent } from '../sweep/stop-with-parent.js';
import { goOn } from './go-on.js';
import { type RunningSettings, runningOptions } from './options.js';

/** `weir resume RUN`: goes on from the newest snapshot, to the same bits as a run never interrupted. */
export function resumeCommand(): Command {
  const command = new Command('resume')
    .description('go on with a run that was stopped or killed')
    .argument('<run>', 'folder of the run');
  for (const option of runningOptions()) command.addOption(option);
  return command
    .addHelpText('after', '\nExample:\n  weir resume runs/mnist-2026-01-31-120000')
    .action(async (run: string, settings: RunningSettings) => {
      stopWithParent();
      const folder = RunFolder.open(run);
      await goOn(folder, await loadPipeline(folder.started.module), settings);
    });
}
