import { existsSync, readdirSync } from 'node:fs';
import { Command } from 'commander';
import { WeirError } from '../flow/errors.js';
import { Flow } from '../flow/flow.js';
import { toError } from '../flow/terminal.js';
import { checkAttackKeys } from '../run/config-keys.js';
import { flowOf } from '../run/fork.js';
import {
  configOf,
  type Network,
  networksOfRun,
  type Pipeline,
  recordsDeclaredBy,
  type Streams,
  wireFirstNetwork,
} from '../run/pipeline.js';
import { RunIdentity, thisMachine } from '../run/run-identity.js';
import { recordsOf } from '../run/run-log.js';
import { discard, takeOver } from '../run/trained-network.js';
import { trainedStateWith } from '../run/weights.js';
import type { RecordDescriptions } from '../storage/record.js';
import type { RunConfig, RunFolder } from '../storage/run-folder.js';
import type { RunState } from '../storage/run-state.js';
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
  weir attack runs/cifar10 --snapshot best --averaged
All attacks of the pipeline are made again, and it must have one that wire returns as attacks$. An attack that the settings take away is dropped.
${settingsHelp}`,
    )
    .action(async (run: string, settings: RunningSettings & WeightsSettings & { set: string[]; run?: string }) => {
      const { folder: source, module, pipeline } = await openRun(run, settings);
      const { seed, config: before } = source.started;
      const config = configOf(pipeline, settings.set, { before });
      checkAttackKeys(before, config, (line) => toError(`${line}\n`));
      await loadTensorFlow();
      const wired = attacksIn(await wireFirstNetwork(pipeline, config, seed));
      if (!wired.includes(stream)) {
        throw new WeirError(
          `pipeline '${pipeline.name}' has no stream ${stream}$`,
          'wire an attack and return it under that name',
        );
      }
      const { snapshot, averaged } = settings;
      const taken = { ...(snapshot !== undefined && { snapshot }), ...(averaged && { averaged }) };
      const found = networksOfRun(pipeline, source.started, config).map((network) => ({
        network,
        snapshot: trainedStateWith(source, network.name, taken),
      }));
      const identity = await RunIdentity.of(source, await thisMachine(), settings);
      await identity.check(pipeline);
      for (const { network, snapshot } of found) identity.checkSnapshot(network.name, snapshot);
      const dropped = attackStreams(source.streams).filter((one) => !wired.includes(one));
      const again = [...wired, ...dropped];
      await checkTaken(pipeline, config, found, again);
      for (const one of dropped) toError(`${one}$ is left out: these settings have no such attack\n`);
      const own = settings.run === undefined || isEmpty(settings.run);
      const folder = takeOver(source, settings.run, config, again, { module, accepted: identity.accepted, taken });
      try {
        await continueRun(folder, pipeline, settings);
      } catch (error) {
        if (own && !hasResults(folder, again)) discard(folder.path);
        else toError(`failed; go on with: weir resume ${folder.shown}\n`);
        throw error;
      }
    });
}

/** Whether a folder has no files, or is not there: what is then in it is the attack's alone. */
const isEmpty = (path: string): boolean => !existsSync(path) || readdirSync(path).length === 0;

/** Whether any work of the new run would be lost with its folder; its log begins without these streams. */
function hasResults(folder: RunFolder, again: readonly string[]): boolean {
  if (folder.hasSnapshots) return true;
  for (const { stream } of recordsOf(folder)) if (again.includes(String(stream))) return true;
  return false;
}

/** The streams of attacks among declared ones, by the role of their records. */
const attackStreams = (declared: RecordDescriptions): string[] =>
  Object.entries(declared).flatMap(([name, { role }]) => (role === 'attack' ? [name] : []));

/** The streams of attacks that a pipeline wires. */
function attacksIn(streams: Streams): string[] {
  const flow = new Flow(streams);
  try {
    const named = `${stream}$` in streams ? [stream] : [];
    return [...new Set([...named, ...attackStreams(recordsDeclaredBy(flow))])];
  } finally {
    flow.close();
  }
}

/** @throws {WeirError} where the graph of a network does not take its state, before the folder of the new run is made */
async function checkTaken(
  pipeline: Pipeline,
  config: RunConfig['config'],
  found: readonly { readonly network: Network; readonly snapshot: { readonly state: RunState } }[],
  again: readonly string[],
): Promise<void> {
  for (const { network, snapshot } of found) {
    const flow = await flowOf(pipeline, config, network);
    try {
      flow.load(
        snapshot.state.flow,
        again.map((one) => `${one}$`),
      );
      flow.introduce();
    } catch (cause) {
      if (!(cause instanceof WeirError)) throw cause;
      throw new WeirError(
        `these settings change the graph of network '${network.name}': ${cause.message}`,
        'an attack changes attacks alone: leave out what adds or takes away other streams',
        { cause },
      );
    } finally {
      flow.close();
    }
  }
}
