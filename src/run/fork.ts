import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Observable } from 'rxjs';
import type { Positioned } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { Flow } from '../flow/flow.js';
import { stage } from '../flow/stage.js';
import type { FlowState } from '../flow/state.js';
import { inputChanges } from '../storage/identity.js';
import { checkOrigin } from '../storage/identity-file.js';
import { logStage } from '../storage/log-stage.js';
import type { MetricRecord } from '../storage/metric-reader.js';
import { readMetrics } from '../storage/metric-reader.js';
import { descriptionOf } from '../storage/record.js';
import {
  type PlannedNetwork,
  plannedNetworks,
  type RunConfig,
  RunFolder,
  type RunOrigin,
} from '../storage/run-folder.js';
import { type RunState, runState } from '../storage/run-state.js';
import { isUnread, SnapshotError } from '../storage/snapshot-format.js';
import type { ListedSnapshot } from '../storage/snapshot-store.js';
import { resolveConfig } from './config.js';
import type { Log } from './consensus.js';
import { epochLabel } from './network-snapshots.js';
import { type Network, type Pipeline, streamName, takenIn } from './pipeline.js';
import { recordsOf } from './run-log.js';
import { lastRecords } from './status.js';
import { updatesOf } from './weights.js';

/** The start of a forked run, as its folder will hold it. */
export interface Fork {
  readonly origin: RunOrigin;
  readonly config: RunConfig['config'];
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
  for (const network of plannedNetworks(networks, config)) {
    checkReached(source, network.name, at);
    checkGoesOn(source, network, at);
  }
  const { createdAt } = source.started;
  return {
    origin: { run: resolve(source.path), createdAt, at, config: configAt(source, networks, at), accepted: [] },
    config,
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

/** The folder of the run that another was forked from. @throws {WeirError} where it is gone, or another run lies there */
function runOfOrigin({ run, createdAt }: RunOrigin): RunFolder {
  const folder = RunFolder.open(run);
  if (folder.started.createdAt === createdAt) return folder;
  throw new WeirError(
    `${run} holds another run than the one that was forked, which was created at ${createdAt}`,
    'put that run back in its place',
  );
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
  if (reached >= at) return;
  throw new WeirError(
    `network '${network}' of ${run.shown} has come to update ${reached}, and not to ${at}`,
    `name an update up to that, or let it go on first: \`weir resume ${run.shown}\``,
  );
}

/** Checks that a network is still in training at the update of the fork: stopped early it would stay so, whatever the settings. */
function checkGoesOn(run: RunFolder, { name, epochs = Number.POSITIVE_INFINITY }: PlannedNetwork, at: number): void {
  const start = startOf(run, name);
  if (start === 'not begun' || start > at) return;
  const ending = endingOf(run, name);
  if (ending !== undefined && ending.number <= at) {
    throw new WeirError(
      `the training of network '${name}' of ${run.shown} ended with update ${ending.number}: ${ending.reason}`,
      `fork before update ${ending.number}, so that the end is judged under the new settings`,
    );
  }
  const epoch = epochOf(run, name, at);
  if (epoch <= epochs) return;
  throw new WeirError(
    `update ${at} of network '${name}' of ${run.shown} is in epoch ${epoch}, and with these settings its training ends with epoch ${epochs}`,
    `name an update up to the end of epoch ${epochs}, or start another run with \`weir run\``,
  );
}

/** The update with which the training of a network was ended early, and the reason; none where it was not. */
export function endingOf(
  run: RunFolder,
  network: string,
): { readonly number: number; readonly reason: string } | undefined {
  const { streams } = run;
  if (!Object.values(streams).some(({ role }) => role === 'ending')) return undefined;
  const own = isOf(run, network);
  for (const record of recordsOf(run)) {
    if (!own(record) || descriptionOf(streams, record).role !== 'ending') continue;
    return { number: Number(record.number), reason: String(record.reason) };
  }
  return undefined;
}

/** The epoch of an update, by the updates of an epoch where the log has the end of one; otherwise that of the last one logged before it. */
function epochOf(run: RunFolder, network: string, at: number): number {
  const { streams } = run;
  const own = isOf(run, network);
  let found = 0;
  for (const record of recordsOf(run)) {
    if (!own(record) || descriptionOf(streams, record).role !== 'training') continue;
    const [number, epoch] = [Number(record.number), Number(record.epoch)];
    if (record.endsEpoch === true && epoch > 0) return Math.ceil(at / (number / epoch));
    if (number <= at && epoch > found) found = epoch;
  }
  return found;
}

/** The update that a network of a run begins at: 0, or that of its branch; 'not begun' where the run has not come to that branch. */
function startOf(run: RunFolder, network: string): number | 'not begun' {
  const branch = run.started.networks?.find(({ name }) => name === network)?.branch;
  if (branch === undefined) return 0;
  const pinned = run
    .snapshots(branch.of)
    .list()
    .find(({ label }) => label === epochLabel(branch.epoch));
  return (pinned && updatesIn(run, branch.of, pinned)) ?? 'not begun';
}

/** The updates that a snapshot is behind, by its head; none where it is altered. */
function updatesIn(run: RunFolder, network: string, listed: ListedSnapshot): number | undefined {
  try {
    return updatesOf(run.snapshots(network).head(listed).data as unknown as RunState);
  } catch (error) {
    if (!(error instanceof SnapshotError) || isUnread(error)) throw error;
    return undefined;
  }
}

/** Whether a record of a run's log is of a network, or of one of its members. */
function isOf({ started }: RunFolder, network: string): (record: MetricRecord) => boolean {
  const members = started.networks?.find(({ name }) => name === network)?.members ?? [];
  const names = new Set<unknown>([network, ...members]);
  return (record) => names.has(record.network);
}

/** The state that a network of a forked run begins with: its own in the other run, or that of the network that it branches off there. */
export interface Beginning {
  readonly state: RunState | undefined;
  readonly trunk: RunState | undefined;
}

/**
 * The newest state of a network in the other run, up to the update of the fork. Neither state where it is to be trained from its beginning.
 *
 * @returns undefined where the network had not begun at that update: then it branches off a network of the forked run
 * @throws {WeirError} where the other run is gone, or the snapshot is not its own
 */
export function beginningOf(origin: RunOrigin, network: string): Beginning | undefined {
  const run = runOfOrigin(origin);
  const start = startOf(run, network);
  if (start === 'not begun' || start > origin.at) return undefined;
  const store = run.snapshots(network);
  const found = store
    .list()
    .map((listed) => ({ listed, updates: updatesIn(run, network, listed) ?? Number.POSITIVE_INFINITY }))
    .filter(({ updates }) => updates <= origin.at)
    .sort((a, b) => b.updates - a.updates || b.listed.sequence - a.listed.sequence);
  for (const { listed } of found) {
    try {
      const snapshot = store.open(listed.path);
      checkOrigin(run, network, snapshot);
      return { state: runState(snapshot), trunk: undefined };
    } catch (error) {
      if (!(error instanceof SnapshotError) || isUnread(error)) throw error; // of an altered one the replay is only longer
    }
  }
  const branch = run.started.networks?.find(({ name }) => name === network)?.branch;
  const pinned = branch && run.snapshots(branch.of).pinned(epochLabel(branch.epoch));
  return { state: undefined, trunk: pinned && runState(pinned) };
}

/**
 * Writes what the other run logged of a network up to the update of the fork into the log of the forked run. Then the log stands at the
 * state that the network begins with: what is made again from there must be what these lines say.
 */
export function carryLog(origin: RunOrigin, network: string, { state }: Beginning, metrics: Log): void {
  const run = runOfOrigin(origin);
  const own = isOf(run, network);
  let carried = 0;
  for (const record of state === undefined ? [] : readMetrics(run.log, state.logged.bytes)) {
    if (!own(record)) continue;
    metrics.append(record);
    carried++;
  }
  const { mark } = metrics;
  for (const record of recordsOf(run)) {
    if (!own(record) || carried-- > 0) continue;
    if (typeof record.number === 'number' && record.number > origin.at) break;
    metrics.append(record);
  }
  metrics.flush();
  metrics.follow(mark, { more: true });
}

/**
 * Checks that the networks of a fork can go on with its config: the same data, and a graph that takes their states.
 *
 * @throws {WeirError} that names what differs
 */
export async function checkFork(pipeline: Pipeline, { origin, config, networks }: Fork): Promise<void> {
  const [network] = networks as [Network];
  const before = pipeline.networks(origin.config, network.seed).find(({ name }) => name === network.name) ?? network;
  const changes = inputChanges(
    await takenIn(pipeline, origin.config, before),
    await takenIn(pipeline, config, network),
  );
  const remedy = 'a fork goes on with the same data and the same graph: start another run with `weir run`';
  if (changes.length > 0) throw new WeirError(`these settings change the data: ${changes.join('; ')}`, remedy);
  const saved = beginningOf(origin, network.name)?.state?.flow ?? (await firstState(pipeline, origin.config, before));
  const flow = await flowOf(pipeline, config, network);
  try {
    flow.load(saved);
  } catch (cause) {
    if (!(cause instanceof WeirError)) throw cause;
    throw new WeirError(`these settings change the graph: ${cause.message}`, remedy, { cause });
  } finally {
    flow.close();
  }
}

/** The graph of a network as a run wires it, its streams logged to nowhere. */
async function flowOf(pipeline: Pipeline, config: RunConfig['config'], network: Network): Promise<Flow> {
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
