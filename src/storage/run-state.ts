import { type Data, isRecord } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { FlowState } from '../flow/state.js';
import type { LogMark } from './metric-log.js';
import type { RunFolder } from './run-folder.js';
import type { About, SnapshotError } from './snapshot-format.js';
import type { SnapshotStore, StoredSnapshot } from './snapshot-store.js';

/** The name under which the last snapshot of a network is kept. */
export const done = 'done';

/** The data in a snapshot of a run. */
export type RunState = {
  readonly flow: FlowState;
  /** The metric log that belongs to it. */
  readonly logged: LogMark;
  readonly update: number;
  readonly seconds: number;
};

/** A snapshot as the state of a run. @throws {WeirError} when it holds something else. */
export function runState(found: StoredSnapshot): RunState {
  if (isRunState(found.data)) return found.data;
  throw new WeirError(`${found.path} is not a snapshot of a run`, 'it is whole, but holds something else: remove it');
}

/** Whether a snapshot says this of the metric log. */
export const isLogMark = (data: unknown): data is Required<LogMark> =>
  isRecord(data as Data) && typeof (data as LogMark).bytes === 'number' && typeof (data as LogMark).sha256 === 'string';

function isRunState(data: Data): data is RunState {
  if (!isRecord(data) || !isRecord(data.flow) || !isRecord(data.flow.nodes)) return false;
  const { logged, update, seconds } = data;
  if (!isLogMark(logged)) return false;
  if (![update, seconds].every((value) => typeof value === 'number')) return false;
  return Object.values(data.flow.nodes).every(
    (node) => isRecord(node) && typeof node.position === 'number' && typeof node.handled === 'number',
  );
}

/** A state, and the snapshot that it is from. */
export interface NetworkState {
  readonly state: RunState;
  /** Whether the network is trained to the end. */
  readonly done: boolean;
  /** Names of the pinned snapshots that it had when it was done. */
  readonly pinned: readonly string[];
  readonly path: string;
  readonly about: About;
}

/**
 * The newest snapshot of a network.
 *
 * @throws {SnapshotError} where it is altered: the one before it is something else than what is asked for
 */
export function readNetworkState(store: SnapshotStore): NetworkState | undefined {
  const found = store.newest();
  if (found === undefined) return undefined;
  const [altered] = found.refused;
  if (altered !== undefined) throw altered;
  return networkState(found);
}

/** The newest snapshot that is whole, to go on from; those newer that are altered are in `refused`. */
export function newestWholeState(
  store: SnapshotStore,
): (NetworkState & { readonly refused: readonly SnapshotError[] }) | undefined {
  const found = store.newest();
  return found && { ...networkState(found), refused: found.refused };
}

const networkState = (found: StoredSnapshot): NetworkState => ({
  path: found.path,
  about: found.about,
  state: runState(found),
  done: found.path.endsWith(`-${done}.snapshot`),
  pinned: Array.isArray(found.about.pinned) ? found.about.pinned.map(String) : [],
});

/** The last state of a network of a run that is done. */
export const trainedState = (run: RunFolder, network: string): RunState => trainedNetwork(run, network).state;

/** The same with the snapshot that it is from. */
export function trainedNetwork(run: RunFolder, network: string): NetworkState {
  const found = readNetworkState(run.snapshots(network));
  if (found?.done) return found;
  throw new WeirError(
    `network '${network}' of ${run.shown} is not trained to the end`,
    `finish it with \`weir resume ${run.shown}\``,
  );
}

/** Networks of a run that no snapshot says to be trained and measured to the end, in the order in which they come. */
export const unfinishedNetworks = (run: RunFolder): string[] =>
  (run.started.networks ?? [])
    .map(({ name }) => name)
    .filter(
      (name) =>
        !run
          .snapshots(name)
          .list()
          .some(({ label }) => label === done),
    );

/** The network that a run works on next, as far as its folder tells: the first that is not trained to the end; none where all are. */
export const networkInTraining = (run: RunFolder): string | undefined => unfinishedNetworks(run)[0];
