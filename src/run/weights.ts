import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Data } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { checkOptions } from '../flow/options.js';
import { membersKey } from '../learn/ensemble/ensemble.js';
import type { NetworkMetadata } from '../learn/metadata.js';
import { savedAverages } from '../learn/optimizer/composed.js';
import type { WeightSource } from '../learn/weights/pretrained.js';
import type { SavedTensors } from '../learn/weights/saved-tensors.js';
import type { ReadoutState } from '../measure/readout/readout.js';
import { hashWeights } from '../storage/digest.js';
import { checkOrigin } from '../storage/identity-file.js';
import { RunFolder } from '../storage/run-folder.js';
import { type NetworkState, type RunState, readNetworkState, runState, trainedNetwork } from '../storage/run-state.js';
import { bestLabel } from './best.js';

/** The state of the stage that owns the weights: the training step, or a network of another run. */
export const weightOwner = ({ flow }: Pick<RunState, 'flow'>): unknown =>
  (flow.nodes.train ?? flow.nodes.trained)?.state;

/** The updates that the training step of a snapshot had made; none where its graph has no training step. Its head tells it too. */
export const updatesOf = (state: Pick<RunState, 'flow'>): number | undefined =>
  (weightOwner(state) as { readonly number?: number } | undefined)?.number;

/** The weights in a snapshot; none where its graph has no training step. */
export const weightsOf = (state: Pick<RunState, 'flow'>): SavedTensors =>
  (weightOwner(state) as { readonly weights: SavedTensors } | undefined)?.weights ?? [];

type Fitted = Extract<ReadoutState, { phase: 'fitted' }>;

/**
 * Readouts that were fitted anew to these weights, by the stage that fitted them. Their tensors replace the network's own, as for the stages
 * after that stage, such as an attack.
 */
function readoutsOf(state: Pick<RunState, 'flow'>): ReadonlyMap<string, Pick<Fitted, 'weights' | 'metadata'>> {
  const owner = weightOwner(state) as { readonly position: number } | undefined;
  const fitted = Object.entries(state.flow.nodes).flatMap(([name, { state }]) => {
    const { phase, position, weights, metadata = {} } = (state ?? {}) as Partial<Fitted>;
    return phase === 'fitted' && position === owner?.position && weights !== undefined
      ? [[name, { weights, metadata }] as const]
      : [];
  });
  return new Map(fitted);
}

/** SHA-256 of the weights in a snapshot, by name. */
export const weightsDigest = (state: Pick<RunState, 'flow'>): string =>
  hashWeights(Object.fromEntries(weightsOf(state).map(({ name, values }) => [name, values])));

/** Metadata of the weights in a snapshot. */
export const metadataOf = (state: Pick<RunState, 'flow'>): NetworkMetadata =>
  (weightOwner(state) as { readonly metadata?: NetworkMetadata } | undefined)?.metadata ?? {};

/** Which of a network's weights are taken, where not its last ones. */
export interface WeightsPick {
  /**
   * 'best' for the best of the snapshots that `keepBest` keeps, the number of an update, or the name of a pinned snapshot; the newest by
   * default.
   */
  readonly snapshot?: string | undefined;
  /** The averages of the weights over the updates, where the optimizer keeps them (`ema`), in the place of the weights. */
  readonly averaged?: boolean | undefined;
}

export const isPicked = ({ snapshot, averaged }: WeightsPick): boolean => snapshot !== undefined || averaged === true;

/** The same in words: 'the averaged weights of snapshot best'. */
export const pickWords = ({ snapshot, averaged }: WeightsPick): string =>
  `the ${averaged ? 'averaged ' : ''}weights${snapshot === undefined ? '' : ` of snapshot ${snapshot}`}`;

export interface WeightsChoice extends WeightsPick {
  /** One of the run's networks; by default its only one. */
  readonly network?: string | undefined;
  /**
   * The readout, where one was fitted anew to these features: the name of the stage that fitted it (the default), or `trained` for the
   * network's own, which is the default of averaged weights.
   */
  readonly readout?: string | undefined;
  /** Whether only a finished network will do; otherwise its newest weights. */
  readonly finished?: boolean;
}

export interface RunWeights {
  readonly network: string;
  /** The number of their last update. */
  readonly update: number;
  /** The name of the snapshot that they are from, where one was chosen. */
  readonly snapshot?: string;
  readonly weights: SavedTensors;
  /** Tensors of a readout that the network did not have: it was trained with a projection head in its place. */
  readonly more: SavedTensors;
  /** Metadata that no tensor holds. */
  readonly metadata: NetworkMetadata;
  /** The readout in these weights, and the others that can be chosen. */
  readonly readout: string;
  readonly others: readonly string[];
}

/**
 * The newest weights of a run's network, from its snapshots, without the pipeline's module. Where its readout was fitted anew, they
 * have that readout, like the network that was tested and attacked.
 *
 * @throws {WeirError} where the run has several networks and none is named, or none of this name; where the network has no weights of its own; where
 * a finished one was asked for and it is not
 */
export function weightsOfRun(
  folder: RunFolder,
  { network, readout, snapshot, averaged = false, finished = false }: WeightsChoice,
): RunWeights {
  const names = namesOf(folder);
  const name = network ?? (names.length === 1 ? names[0]! : undefined);
  if (names.length === 0) {
    throw new WeirError(`the run in ${folder.shown} has no snapshot yet`, 'wait for its first, or resume it');
  }
  if (name === undefined || !names.includes(name)) {
    throw new WeirError(
      name === undefined
        ? `the run in ${folder.shown} has several networks`
        : `the run in ${folder.shown} has no network '${name}'`,
      `name one, by --network or { network: … }: ${names.join(', ')}`,
    );
  }
  const newest = finished ? trainedNetwork(folder, name) : readNetworkState(folder.snapshots(name));
  const found = snapshot === undefined || newest === undefined ? newest : chosen(folder, name, newest, snapshot);
  if (found !== undefined) checkOrigin(folder, name, found);
  const state = found?.state && (averaged ? withAverages(folder, name, found.state) : found.state);
  const weights = state === undefined ? [] : weightsOf(state);
  if (state === undefined || weights.length === 0 || weights.some((weight) => weight.name === membersKey)) {
    throw new WeirError(
      `network '${name}' of ${folder.shown} has no weights of its own`,
      'name one that is trained by `train` and has a snapshot',
    );
  }
  return {
    network: name,
    update: updatesOf(state) ?? state.update,
    ...(snapshot !== undefined && { snapshot: labelOf(found!) }),
    ...withReadout(folder, state, readout ?? (averaged ? own : undefined)),
  };
}

const labelOf = ({ path }: Pick<NetworkState, 'path'>): string => /\d+-(.+)\.snapshot$/.exec(path)?.[1] ?? path;

/**
 * The state in a snapshot of a network that is asked for by 'best', an update or a name.
 *
 * @param newest its newest state, which knows the best
 * @throws {WeirError} where there is none, with those there are
 */
function chosen(folder: RunFolder, network: string, newest: NetworkState, asked: string): NetworkState {
  const store = folder.snapshots(network);
  const [best] = Array.isArray(newest.about.best) ? newest.about.best : [];
  const label = asked === 'best' && typeof best === 'number' ? bestLabel(best) : asked;
  const all = store.list();
  const number = /^\d+$/.test(asked) ? Number(asked) : undefined;
  const listed =
    all.find((one) => one.label === label) ??
    (number === undefined ? undefined : all.find((one) => store.head(one).about.update === number));
  if (listed !== undefined) {
    const found = store.open(listed.path);
    return { ...newest, path: found.path, about: found.about, state: runState(found) };
  }
  const names = all.map((one) => (one.pinned ? `${one.label} (update ${store.head(one).about.update})` : one.label));
  throw new WeirError(
    `network '${network}' of ${folder.shown} has no snapshot '${asked}'`,
    `${asked === 'best' ? 'let keepBest keep some; ' : ''}there are ${names.join(', ') || 'none'}`,
  );
}

/** A state whose weights are their averages. @throws {WeirError} where its optimizer kept none */
function withAverages(folder: RunFolder, network: string, state: RunState): RunState {
  const { memory = [] } = (weightOwner(state) ?? {}) as { readonly memory?: SavedTensors };
  const weights = savedAverages(weightsOf(state), memory);
  if (weights !== undefined) return withOwner(state, { weights });
  throw new WeirError(
    `network '${network}' of ${folder.shown} has no averages of its weights`,
    'train it by an optimizer that keeps them: optimizer: ema(0.999, …)',
  );
}

/** A state in which the stage that owns the weights has other values. */
function withOwner(state: RunState, values: object): RunState {
  const name = state.flow.nodes.train === undefined ? 'trained' : 'train';
  const node = state.flow.nodes[name]!;
  const owner = { ...node, state: { ...(node.state as object), ...values } as Data };
  return { ...state, flow: { ...state.flow, nodes: { ...state.flow.nodes, [name]: owner } } };
}

/**
 * The last state of a trained network as another run takes it over: with its last weights, or with others of them in their place. All
 * else, such as the place in the data, is as at the end of the training.
 *
 * @throws {WeirError} where the network is not trained to the end, the snapshot is not there, or the weights have no averages; where a readout
 * was fitted anew to the last weights, which fits no others
 */
export function trainedStateWith(
  folder: RunFolder,
  network: string,
  { snapshot, averaged }: WeightsPick,
): NetworkState {
  const last = trainedNetwork(folder, network);
  if (!isPicked({ snapshot, averaged })) return last;
  const refitted = [...readoutsOf(last.state).keys()];
  if (refitted.length > 0) {
    throw new WeirError(
      `network '${network}' of ${folder.shown} has a readout that stage '${refitted[0]}' fitted to its last weights, and fits no others`,
      'take the last weights: leave --snapshot and --averaged out',
    );
  }
  const found = snapshot === undefined ? last : chosen(folder, network, last, snapshot);
  checkOrigin(folder, network, found);
  const owner = weightOwner(found.state) as Record<string, Data>;
  const moved = ['weights', 'memory', 'number', 'epoch', 'metadata'].filter((key) => key in owner);
  const state = withOwner(last.state, Object.fromEntries(moved.map((key) => [key, owner[key]])));
  return { ...last, about: found.about, state: averaged ? withAverages(folder, network, state) : state };
}

/** The weights with one of their readouts. @throws {WeirError} where there is none of this name, or several and none is named */
export function withReadout(
  folder: RunFolder,
  state: RunState,
  asked?: string,
): Pick<RunWeights, 'weights' | 'more' | 'metadata' | 'readout' | 'others'> {
  const fitted = readoutsOf(state);
  const names = [...fitted.keys(), own];
  const readout = asked ?? (fitted.size > 1 ? undefined : names[0]!);
  if (readout === undefined || !names.includes(readout)) {
    throw new WeirError(
      readout === undefined
        ? `the network in ${folder.shown} was given several readouts`
        : `the network in ${folder.shown} has no readout '${readout}' of these weights`,
      `name one, by --readout or { readout: … }: ${names.join(', ')}`,
    );
  }
  const anew = new Map((fitted.get(readout)?.weights ?? []).map((tensor) => [tensor.name, tensor]));
  const weights = weightsOf(state);
  const { architecture } = metadataOf(state);
  const metadata = fitted.get(readout)?.metadata;
  return {
    metadata: metadata === undefined ? metadataOf(state) : { ...(architecture && { architecture }), ...metadata },
    weights: weights.map((tensor) => anew.get(tensor.name) ?? tensor),
    more: [...anew.values()].filter(({ name }) => weights.every((tensor) => tensor.name !== name)),
    readout,
    others: names.filter((name) => name !== readout),
  };
}

const own = 'trained';

/** The names of a run's networks, from its config, or from its snapshots where the config lists none. */
export function namesOf({ started, path }: RunFolder): readonly string[] {
  if (started.networks !== undefined) return started.networks.map(({ name }) => name);
  const snapshots = join(path, 'snapshots');
  return existsSync(snapshots) ? readdirSync(snapshots) : [];
}

/**
 * The last weights of a finished network of a run, read from its snapshot; they equal those of its export. Tensors have Weir's names,
 * such as 'stage1/block1/conv1/kernel' and 'projector1/kernel'.
 *
 * They are read when training begins. The first snapshot of that training holds them: after it the other run is not needed.
 *
 * @param run its folder @param network which of its networks, by default its only one @param readout 'trained' for the network's own
 * where one was fitted anew, which else is taken; one that a network with a projection head was given only where it is named
 * @param snapshot 'best' for the best that `keepBest` kept, an update, or the name of a pinned snapshot; by default the last
 * @param averaged whether to take the averages that `ema` kept
 * @throws {WeirError} when they are read: where there is no such run, several networks and none named, one without weights of its own,
 * or one that is not trained to the end
 * @example startingFrom(model, fromRun(config.from, { network: 'rep-spectral' }), { fresh: ['readout'], drop: ['projector'] })
 */
export function fromRun(
  run: string,
  options: Pick<WeightsChoice, 'network' | 'readout' | 'snapshot' | 'averaged'> = {},
): WeightSource {
  const { network, readout, snapshot, averaged } = checkOptions('fromRun', options, {
    network: 'optional',
    readout: 'optional',
    snapshot: 'optional',
    averaged: 'optional',
  } as const);
  return {
    shown: network === undefined ? run : `network '${network}' of ${run}`,
    read() {
      const { weights, more, metadata } = weightsOfRun(RunFolder.open(run), {
        network,
        readout,
        snapshot,
        averaged,
        finished: true,
      });
      const all = readout === undefined ? weights : [...weights, ...more]; // a named readout is taken whole
      return { tensors: new Map(all.map(({ name, shape, values }) => [name, { shape, values }])), metadata };
    },
    namesOf: (weight) => [weight],
    laidOut: (tensor) => tensor,
  };
}
