import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Observable } from 'rxjs';
import type { Positioned } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { Flow } from '../flow/flow.js';
import { stage } from '../flow/stage.js';
import type { FlowState } from '../flow/state.js';
import { inputChanges } from '../storage/identity.js';
import { logStage } from '../storage/log-stage.js';
import {
  type PlannedNetwork,
  plannedNetworks,
  type RunConfig,
  type RunFolder,
  type RunOrigin,
} from '../storage/run-folder.js';
import { done } from '../storage/run-state.js';
import { changeOf, resolveConfig } from './config.js';
import {
  beginningOf,
  endingOf,
  epochOf,
  hasBegun,
  isOf,
  lastUpdateOf,
  runOfOrigin,
  startOf,
  updatesIn,
} from './fork-origin.js';
import { type Network, type Pipeline, streamName, takenIn } from './pipeline.js';
import { lastRecords } from './status.js';

/** The start of a forked run, as its folder will hold it. */
export interface Fork {
  readonly origin: RunOrigin;
  readonly config: RunConfig['config'];
  readonly seed: number;
  readonly networks: readonly Network[];
}

/**
 * Plans a run that is another one up to an update, and goes on from there with its own config. Nothing is written.
 *
 * @param settings `key=value` each: what is to differ from the other run
 * @throws {WeirError} where a network of the other run has no such update, or its training ends there or earlier; where the settings change
 * which networks there are
 */
export function planFork(
  run: RunFolder,
  pipeline: Pipeline,
  { at, settings }: { readonly at: number; readonly settings: readonly string[] },
): Fork {
  const { started } = run;
  const source = holderOfUpdate(run, at);
  const { config: before, seed } = started;
  const config = resolveConfig(pipeline.config, pipeline.profiles, settings, { before, rules: pipeline.rules ?? [] });
  const networks = pipeline.networks(config, seed);
  checkListed(source, networks, config);
  const then = configAt(source, networks, at);
  const ended = checkGoesOn(source, pipeline, { at, then, config, planned: plannedNetworks(networks, config) });
  const { createdAt } = source.started;
  return {
    origin: { run: resolve(source.path), createdAt, at, ...(ended && { ended }), config: then, accepted: [] },
    config,
    seed,
    networks,
  };
}

/** The run that made the update: of a run that was itself forked later than that, the one before it. */
function holderOfUpdate(run: RunFolder, at: number): RunFolder {
  const { origin, from } = run.started;
  if (from !== undefined) {
    throw new WeirError(
      `the networks of ${run.shown} were trained by another run, ${from.run}`,
      `fork that one: \`weir fork ${from.run}\``,
    );
  }
  return origin === undefined || at > origin.at ? run : holderOfUpdate(runOfOrigin(origin), at);
}

/** The config under which a run made an update. @throws {WeirError} where it was changed before that update in some networks alone */
function configAt({ started, shown }: RunFolder, networks: readonly Network[], at: number): RunConfig['config'] {
  const { config, history = [] } = started;
  const configs = networks.map(({ name }) => {
    const then: Record<string, unknown> = { ...config };
    for (const { set, updates } of history.toReversed()) {
      if (at <= (updates[name] ?? 0)) for (const [key, { was }] of Object.entries(set)) then[key] = was;
    }
    return then;
  });
  const odd = configs.findIndex((one) => !isDeepStrictEqual(one, configs[0]));
  if (odd === -1) return configs[0]!;
  throw new WeirError(
    `networks '${networks[0]!.name}' and '${networks[odd]!.name}' of ${shown} had different configs at update ${at}`,
    'name an update before or after the change in both',
  );
}

function checkListed({ started, shown }: RunFolder, networks: readonly Network[], config: RunConfig['config']): void {
  const known = started.networks ?? [];
  for (const { name, members = [] } of plannedNetworks(networks, config)) {
    const before = known.find((one) => one.name === name);
    if (before !== undefined && String(before.members ?? []) === String(members)) continue;
    throw new WeirError(
      before === undefined
        ? `${shown} has no network '${name}', which these settings ask for`
        : `network '${name}' of ${shown} has other members than these settings ask for`,
      'a fork goes on with networks of the other run; others are trained by `weir run`',
    );
  }
}

function checkReached(run: RunFolder, network: string, at: number): void {
  const start = startOf(run, network);
  if (start === 'not begun' || start > at) return;
  const store = run.snapshots(network);
  const heads = store.list().flatMap((one) => updatesIn(run, network, one) ?? []);
  const logged = lastRecords(run.log, (all) => all.some((one) => isOf(run, network)(one) && Number(one.number) > 0));
  const numbers = logged.filter(isOf(run, network)).map(({ number }) => (typeof number === 'number' ? number : 0));
  const reached = Math.max(start, ...heads, ...numbers);
  if (reached < at) throw notReached(run, network, reached, at);
}

const notReached = ({ shown }: RunFolder, network: string, reached: number, at: number): WeirError =>
  new WeirError(
    `network '${network}' of ${shown} has come to update ${reached}, and not to ${at}`,
    `name an update up to that, or let it go on first: \`weir resume ${shown}\``,
  );

/** The end of a network's training in the other run, at or before the update of a fork. */
interface End {
  readonly network: string;
  readonly number: number;
  /** Why, as the end of a sentence. */
  readonly reason: string;
  readonly early: boolean;
}

/**
 * Checks that a fork has something to train, and that no setting of it would have changed a training that is over.
 *
 * @returns the last updates of networks whose training was over by then: they are in the fork as they are
 */
function checkGoesOn(
  run: RunFolder,
  pipeline: Pipeline,
  {
    at,
    then,
    config,
    planned,
  }: {
    readonly at: number;
    readonly then: RunConfig['config'];
    readonly config: RunConfig['config'];
    readonly planned: readonly PlannedNetwork[];
  },
): Record<string, number> | undefined {
  const ends: End[] = [];
  for (const network of planned) {
    const end = hasBegun(run, network.name, at) ? endBefore(run, network, at) : undefined;
    if (end !== undefined) ends.push(end);
    else {
      checkReached(run, network.name, at);
      checkEpoch(run, network, at);
    }
  }
  const [first] = ends;
  if (first === undefined) return undefined;
  const changed = Object.keys({ ...then, ...config }).filter((key) => !isDeepStrictEqual(config[key], then[key]));
  const fixed = changed.filter((key) => changeOf(pipeline.config[key]) === undefined);
  const goOn = planned.length > ends.length;
  if (goOn && fixed.length === 0) return Object.fromEntries(ends.map(({ network, number }) => [network, number]));
  if (!goOn && !first.early && at > first.number) throw notReached(run, first.network, first.number, at);
  throw goOn
    ? endedBefore(run, first, { at, fixed })
    : allEnded(run, first, { attack: changed.length > 0 && fixed.length === 0 });
}

const endText = ({ shown }: RunFolder, { network, number, reason }: End): string =>
  `the training of network '${network}' of ${shown} ended with update ${number}${reason && `: ${reason}`}`;

/** The error of a fork that would change the training of a network that was over, while others go on. */
const endedBefore = (
  run: RunFolder,
  end: End,
  { at, fixed }: { readonly at: number; readonly fixed: readonly string[] },
): WeirError =>
  new WeirError(
    `${endText(run, end)}, and with other settings it might have gone on to update ${at}`,
    `fork before update ${end.number}, so that its end is judged under the new settings; or leave ${fixed.join(', ')} as before`,
  );

/** The error of a fork that has nothing to train. */
function allEnded(run: RunFolder, end: End, { attack }: { readonly attack: boolean }): WeirError {
  const ways = [
    ...(attack ? [`attack its networks anew by \`weir attack ${run.shown}\``] : []),
    ...(end.early ? [] : [`set more epochs, here or by \`weir resume ${run.shown}\``]),
    `fork before update ${end.number}${end.early ? ', so that the end is judged under the new settings' : ''}`,
  ];
  return new WeirError(`${endText(run, end)}, and a fork there would train nothing`, ways.join('; or '));
}

/**
 * The end of a network's training, early or with its last epoch, up to an update; none where it goes on, as with more epochs. With fewer
 * epochs the fork measures at an end of its own.
 */
function endBefore(run: RunFolder, { name, epochs }: PlannedNetwork, at: number): End | undefined {
  const ending = endingOf(run, name);
  if (ending !== undefined && ending.number <= at) return { network: name, ...ending, early: true };
  const before = run.started.networks?.find((one) => one.name === name)?.epochs;
  if (epochs !== before) return undefined;
  const store = run.snapshots(name);
  const last = store.list().find(({ label }) => label === done);
  const number = (last && updatesIn(run, name, last)) ?? lastUpdateOf(run, name, epochs);
  return number !== undefined && number <= at ? { network: name, number, reason: '', early: false } : undefined;
}

/** Checks that the epoch of the update belongs to the training under the new settings. */
function checkEpoch(run: RunFolder, { name, epochs = Number.POSITIVE_INFINITY }: PlannedNetwork, at: number): void {
  if (!hasBegun(run, name, at)) return;
  const epoch = epochOf(run, name, at);
  if (epoch <= epochs) return;
  throw new WeirError(
    `update ${at} of network '${name}' of ${run.shown} is in epoch ${epoch}, and with these settings its training ends with epoch ${epochs}`,
    `name an update up to the end of epoch ${epochs}, or start another run with \`weir run\``,
  );
}

/**
 * Checks that the networks of a fork can go on with its config: the same data, and a graph that takes their states.
 *
 * @throws {WeirError} that names what differs
 */
export async function checkFork(pipeline: Pipeline, fork: Fork): Promise<void> {
  for (const network of fork.networks) await checkNetwork(pipeline, fork, network);
}

async function checkNetwork(pipeline: Pipeline, { origin, config, seed }: Fork, network: Network): Promise<void> {
  const { name } = network;
  const before = pipeline.networks(origin.config, seed).find((one) => one.name === name) ?? network;
  const changes = inputChanges(
    await takenIn(pipeline, origin.config, before),
    await takenIn(pipeline, config, network),
  );
  const remedy = 'a fork goes on with the same data and the same graph: start another run with `weir run`';
  if (changes.length > 0) {
    throw new WeirError(`these settings change the data of network '${name}': ${changes.join('; ')}`, remedy);
  }
  const saved = beginningOf(origin, name)?.state?.flow ?? (await firstState(pipeline, origin.config, before));
  const flow = await flowOf(pipeline, config, network);
  try {
    flow.load(saved);
    flow.introduce();
  } catch (cause) {
    if (!(cause instanceof WeirError)) throw cause;
    throw new WeirError(`these settings change the graph of network '${name}': ${cause.message}`, remedy, { cause });
  } finally {
    flow.close();
  }
}

/** The graph of a network as a run wires it, its streams logged to nowhere. */
export async function flowOf(pipeline: Pipeline, config: RunConfig['config'], network: Network): Promise<Flow> {
  const streams = Object.entries(await pipeline.wire({ config, network, seed: network.seed }));
  const logged = streams.map(([name, stream]) => {
    const value = logStage(network.name, streamName(name), () => undefined);
    return [name, (stream as Observable<Positioned>).pipe(stage(value))];
  });
  return new Flow(Object.fromEntries(logged));
}

/** The state of a graph before its first update: it has the names and shapes of all later ones. */
async function firstState(pipeline: Pipeline, config: RunConfig['config'], network: Network): Promise<FlowState> {
  const flow = await flowOf(pipeline, config, network);
  try {
    return flow.save();
  } finally {
    flow.close();
  }
}
