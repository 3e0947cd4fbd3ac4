import { Command } from 'commander';
import { WeirError } from '../flow/errors.js';
import { toError } from '../flow/terminal.js';
import { checkAttackKeys } from '../run/config-keys.js';
import { configOf, networksOfRun, wireFirstNetwork } from '../run/pipeline.js';
import { RunIdentity, thisMachine } from '../run/run-identity.js';
import { takeOver } from '../run/trained-network.js';
import { trainedStateWith } from '../run/weights.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import {
  acceptOption,
  folderOption,
  moduleOption,
  type RunningSettings,
  runningOptions,
  setOption,
  settingsHelp,
  type WeightsSettings,
  weightsOptions,
  withOptions,
} from './options.js';
import { continueRun, openRun } from './session.js';

const stream = 'attacks'; // the stream of the attack's results in every pipeline
const beside = 'bounds'; // that of a white-box attack on the same samples, where a pipeline has one

/** `weir attack RUN`: attacks the networks of a finished run again, with other settings, as a new run. */
export function command(): Command {
  const command = new Command('attack')
    .description('attack the trained networks of a run again, with other settings, in a new run')
    .argument('<run>', 'folder of a finished run');
  const own = [setOption(), ...weightsOptions(), moduleOption(), acceptOption(), folderOption()];
  return withOptions(command, ...own, ...runningOptions())
    .addHelpText(
      'after',
      `\nExamples:\n  weir attack runs/mnist-2026-01-31-120000 --set attacked=200 --set iterations=80
  weir attack runs/cifar10 --snapshot best --averaged${settingsHelp}`,
    )
    .action(async (run: string, settings: RunningSettings & WeightsSettings & { set: string[]; run?: string }) => {
      const { folder: source, module, pipeline } = await openRun(run, settings);
      const { seed, config: before } = source.started;
      const config = configOf(pipeline, settings.set, { before });
      checkAttackKeys(before, config, (line) => toError(`${line}\n`));
      await loadTensorFlow();
      const streams = await wireFirstNetwork(pipeline, config, seed);
      if (!(`${stream}$` in streams)) {
        throw new WeirError(
          `pipeline '${pipeline.name}' has no stream ${stream}$`,
          'wire an attack and return it under that name',
        );
      }
      const { snapshot, averaged } = settings;
      const taken = { ...(snapshot !== undefined && { snapshot }), ...(averaged && { averaged }) };
      const found = networksOfRun(pipeline, source.started, config).map(({ name }) => ({
        name,
        snapshot: trainedStateWith(source, name, taken),
      }));
      const identity = await RunIdentity.of(source, await thisMachine(), settings);
      await identity.check(pipeline);
      for (const { name, snapshot } of found) identity.checkSnapshot(name, snapshot);
      const again = `${beside}$` in streams ? [stream, beside] : [stream];
      const folder = takeOver(source, settings.run, config, again, { module, accepted: identity.accepted, taken });
      await continueRun(folder, pipeline, settings);
    });
}
