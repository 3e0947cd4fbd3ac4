import { Command } from 'commander';
import { RankConsensus, startedWith } from '../ranks/consensus.js';
import { loadPipeline } from '../run/pipeline-module.js';
import { stopWithParent } from '../run/process.js';
import { checkFiles, moduleOf } from '../storage/identity-file.js';
import { RunFolder } from '../storage/run-folder.js';
import { processGroup } from '../tensorflow/collectives/process-group.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import { acceptOption, moduleOption, type RunningSettings, runningOptions, takeOverOption } from './options.js';
import { type ResumedRankSettings, ranAsRanks, resumedRankOptions, sameBatchNorm } from './ranks.js';
import { continueRun } from './session.js';

/** `weir resume RUN`: goes on from the newest snapshot, to the same bits as a run without interruption. */
export function command(): Command {
  const command = new Command('resume')
    .description('go on with a run that was stopped or killed')
    .argument('<run>', 'folder of the run')
    .addOption(moduleOption())
    .addOption(acceptOption())
    .addOption(takeOverOption());
  for (const option of [...runningOptions(), ...resumedRankOptions()]) command.addOption(option);
  return command
    .addHelpText('after', '\nExample:\n  weir resume runs/mnist-2026-01-31-120000')
    .action(async (run: string, settings: RunningSettings & ResumedRankSettings) => {
      stopWithParent();
      const folder = RunFolder.open(run);
      const { started } = folder;
      const module = moduleOf(folder, settings.module);
      const files = await checkFiles(folder, module, settings); // reports errors before TensorFlow is loaded, which takes long
      const batchNorm = sameBatchNorm(started.ranks?.batchNorm, settings.batchNorm);
      if (await ranAsRanks({ ...settings, batchNorm }, started.ranks?.count)) return;
      await loadTensorFlow();
      const consensus = new RankConsensus(processGroup());
      consensus.same(startedWith(started, files), { remedy: 'give all ranks the folder of the same run' });
      await continueRun(folder, await loadPipeline(module), { ...settings, module }, consensus);
    });
}
