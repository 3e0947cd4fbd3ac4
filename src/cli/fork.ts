import { Command } from 'commander';
import { toError } from '../flow/terminal.js';
import { RankConsensus, startedWith } from '../ranks/consensus.js';
import { scheduleLines } from '../run/change-config.js';
import { checkFork, planFork } from '../run/fork.js';
import { stopWithParent } from '../run/process.js';
import { RunIdentity, thisMachine } from '../run/run-identity.js';
import { machineChangesSince } from '../storage/identity-file.js';
import { plannedNetworks, RunFolder } from '../storage/run-folder.js';
import { processGroup } from '../tensorflow/collectives/process-group.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import {
  acceptOption,
  countOption,
  folderOption,
  moduleOption,
  type RunningSettings,
  runningOptions,
  setOption,
  settingsHelp,
  withOptions,
} from './options.js';
import {
  continueRun,
  openRun,
  type ResumedRankSettings,
  ranAsRanks,
  resumedRankOptions,
  sameBatchNorm,
} from './session.js';

interface Settings extends RunningSettings, ResumedRankSettings {
  readonly at: number;
  readonly set: string[];
  readonly run?: string;
}

/** `weir fork RUN --at N`: a new run that is another one up to an update, and goes on from there with other settings. */
export function command(): Command {
  const command = new Command('fork')
    .description('start a new run from an update of another one, with its whole state and other settings')
    .argument('<run>', 'folder of the other run; nothing in it is changed');
  const at = countOption('--at <update>', 'the update, of every network').makeOptionMandatory();
  const own = [at, setOption(), moduleOption(), acceptOption(), folderOption()];
  return withOptions(command, ...own, ...runningOptions(), ...resumedRankOptions())
    .addHelpText(
      'after',
      `\nExample:\n  weir fork runs/mnist-2026-01-31-120000 --at 399 --set rate=0.05${settingsHelp}`,
    )
    .action(async (path: string, settings: Settings) => {
      stopWithParent();
      const { folder: run, module, files, pipeline } = await openRun(path, settings);
      const { started } = run;
      const plan = planFork(run, pipeline, { at: settings.at, settings: settings.set });
      const batchNorm = sameBatchNorm(started.ranks?.batchNorm, settings.batchNorm);
      if (await ranAsRanks({ ...settings, batchNorm }, started.ranks?.count)) return;
      await loadTensorFlow();
      const { origin, config, networks } = plan;
      const source = RunFolder.open(origin.run);
      const machine = await thisMachine();
      const identity = await RunIdentity.of(source, machine, { ...settings, module });
      const moved = machineChangesSince(source, machine);
      await identity.check(pipeline);
      await checkFork(pipeline, plan);
      const consensus = new RankConsensus(processGroup());
      const start = { module, pipeline: pipeline.name, seed: started.seed, config };
      const same = { ...startedWith(start, files), 'the run and update of the fork': `${origin.run} ${origin.at}` };
      consensus.same(same, { remedy: 'start all ranks with the same command' });
      const folder = consensus.folder(() =>
        RunFolder.create(settings.run, {
          ...start,
          networks: plannedNetworks(networks, config),
          figures: started.figures ?? [],
          ...(started.reference && { reference: started.reference }),
          ...((started.ranks || !consensus.alone) && { ranks: { count: processGroup().ranks, batchNorm } }),
          origin: { ...origin, ...(moved.length > 0 && { moved }), accepted: identity.accepted },
        }),
      );
      const said = [...identity.said, ...(await scheduleLines(pipeline, plan))];
      if (consensus.writes) for (const one of said) toError(`${one}\n`);
      await continueRun(folder, pipeline, settings, consensus);
    });
}
