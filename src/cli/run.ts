import { Command } from 'commander';
import { toError, toOutput } from '../flow/terminal.js';
import { RankConsensus, startedWith } from '../ranks/consensus.js';
import { changeConfig, checkSchedules, planChange } from '../run/change-config.js';
import { describeConfig } from '../run/config.js';
import { configOf, tryOut } from '../run/pipeline.js';
import { loadPipeline } from '../run/pipeline-module.js';
import { stopWithParent } from '../run/process.js';
import { moduleFiles } from '../storage/module-files.js';
import { plannedNetworks, RunFolder } from '../storage/run-folder.js';
import { processGroup } from '../tensorflow/collectives/process-group.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import {
  acceptOption,
  folderOption,
  moduleOption,
  type RunningSettings,
  runningOptions,
  seedOption,
  setOption,
  settingsHelp,
  takeOverOption,
  withOptions,
} from './options.js';
import {
  continueRun,
  openRun,
  type RankSettings,
  type ResumedRankSettings,
  ranAsRanks,
  rankOptions,
  resumedRankOptions,
  sameBatchNorm,
} from './session.js';

interface Settings extends RunningSettings, RankSettings {
  readonly set: string[];
  readonly seed: number;
  readonly run?: string;
  readonly keys?: boolean;
}

/** `weir run MODULE`: starts a run and writes its report; the last line printed is its folder. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('start a run of a pipeline')
    .argument('<module>', 'pipeline module, such as pipelines/mnist.ts')
    .option('--keys', 'list the keys and profiles of the pipeline’s config, and stop');
  return withOptions(command, setOption(), seedOption(), folderOption(), ...runningOptions(), ...rankOptions())
    .addHelpText(
      'after',
      `\nExample:\n  weir run pipelines/mnist.ts --set profile=quick --set gamma=0.01 --seed 1${settingsHelp}`,
    )
    .action(async (module: string, settings: Settings) => {
      stopWithParent(); // where this is the process of a rank
      const pipeline = await loadPipeline(module);
      if (settings.keys) {
        const profiles = Object.keys(pipeline.profiles).join(', ') || 'none';
        toOutput(`${pipeline.title}\n${describeConfig(pipeline.config)}\nprofiles: ${profiles}\n`);
        return;
      }
      configOf(pipeline, settings.set); // reports errors before TensorFlow is loaded, which takes long
      if (await ranAsRanks(settings)) return;
      const slow = (await loadTensorFlow()).kind === 'wasm';
      const fallback = slow ? pipeline.fallback : {};
      const config = configOf(pipeline, settings.set, {
        fallback,
        ...(processGroup().rank === 0 && { tell: (line: string) => toError(`${line}\n`) }),
      });
      await tryOut(pipeline, config, settings.seed); // reports errors before anything is written
      const consensus = new RankConsensus(processGroup());
      const start = { module, pipeline: pipeline.name, seed: settings.seed, config };
      consensus.same(startedWith(start, await moduleFiles(module)), {
        remedy: 'start all ranks with the same command, and the same version of all files',
      });
      const folder = consensus.folder(() =>
        RunFolder.create(settings.run, {
          ...start,
          networks: plannedNetworks(pipeline.networks(config, settings.seed), config),
          figures: pipeline.figures,
          ...(pipeline.reference && { reference: pipeline.reference }),
          ...(!consensus.alone && { ranks: { count: processGroup().ranks, batchNorm: settings.batchNorm } }),
        }),
      );
      await continueRun(folder, pipeline, settings, consensus);
    });
}

/** `weir resume RUN`: goes on from the newest snapshot, to the same bits as a run without interruption. */
export function resumeCommand(): Command {
  const command = new Command('resume')
    .description('go on with a run that was stopped or killed')
    .argument('<run>', 'folder of the run');
  const own = [setOption(), moduleOption(), acceptOption(), takeOverOption()];
  return withOptions(command, ...own, ...runningOptions(), ...resumedRankOptions())
    .addHelpText(
      'after',
      `
Examples:
  weir resume runs/mnist-2026-01-31-120000
  weir resume runs/mnist-2026-01-31-120000 --set epochs=210

--set changes keys that the pipeline declares as changeable: the number of epochs, and settings of attacks and tests to
come. The change is recorded.
\`weir fork\` makes another run with any other change.`,
    )
    .action(async (run: string, settings: RunningSettings & ResumedRankSettings & { readonly set: string[] }) => {
      stopWithParent();
      const { folder, module, files, pipeline } = await openRun(run, settings);
      const { started } = folder;
      const change = planChange(folder, pipeline, settings.set);
      const batchNorm = sameBatchNorm(started.ranks?.batchNorm, settings.batchNorm);
      if (await ranAsRanks({ ...settings, batchNorm }, started.ranks?.count)) return;
      await loadTensorFlow();
      const consensus = new RankConsensus(processGroup());
      const start = { ...started, config: change?.config ?? started.config };
      consensus.same(startedWith(start, files), {
        remedy: 'give all ranks the folder of the same run, and the same settings',
      });
      if (change !== undefined) await checkSchedules(pipeline, change);
      const changed = change && consensus.folder(() => changeConfig(change, settings.takeOver));
      await continueRun(changed ?? folder, pipeline, { ...settings, module }, consensus);
    });
}
