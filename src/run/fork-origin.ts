import { WeirError } from '../flow/errors.js';
import { checkOrigin } from '../storage/identity-file.js';
import type { MetricRecord } from '../storage/metric-reader.js';
import { readMetrics } from '../storage/metric-reader.js';
import { descriptionOf } from '../storage/record.js';
import { RunFolder, type RunOrigin } from '../storage/run-folder.js';
import { type RunState, runState } from '../storage/run-state.js';
import { isUnread, SnapshotError } from '../storage/snapshot-format.js';
import type { ListedSnapshot } from '../storage/snapshot-store.js';
import type { Log } from './consensus.js';
import { epochLabel } from './network-snapshots.js';
import { recordsOf } from './run-log.js';
import { updatesOf } from './weights.js';

/** The folder of the run that another was forked from. @throws {WeirError} where it is gone, or another run lies there */
export function runOfOrigin({ run, createdAt }: RunOrigin): RunFolder {
  const folder = RunFolder.open(run);
  if (folder.started.createdAt === createdAt) return folder;
  throw new WeirError(
    `${run} holds another run than the one that was forked, which was created at ${createdAt}`,
    'put that run back in its place',
  );
}

/** The update that a network of a run begins at: 0, or that of its branch; 'not begun' where the run has not come to that branch. */
export function startOf(run: RunFolder, network: string): number | 'not begun' {
  const branch = run.started.networks?.find(({ name }) => name === network)?.branch;
  if (branch === undefined) return 0;
  const ending = endingOf(run, branch.of);
  if (ending !== undefined && ending.epoch < branch.epoch) return 0; // before the branch: it was trained from its beginning
  const pinned = run
    .snapshots(branch.of)
    .list()
    .find(({ label }) => label === epochLabel(branch.epoch));
  const updates = pinned && updatesIn(run, branch.of, pinned);
  return updates ?? startInOrigin(run, network) ?? 'not begun';
}

/** The update that a network began at in the run that this one was forked from; none where this run began it, or will. */
function startInOrigin({ started }: RunFolder, network: string): number | undefined {
  const { origin } = started;
  if (origin === undefined) return undefined;
  const start = startOf(runOfOrigin(origin), network);
  return start !== 'not begun' && start <= origin.at ? start : undefined;
}

export const hasBegun = (run: RunFolder, network: string, at: number): boolean => {
  const start = startOf(run, network);
  return start !== 'not begun' && start <= at;
};

/** The updates that a snapshot is behind, by its head; none where it is altered. */
export function updatesIn(run: RunFolder, network: string, listed: ListedSnapshot): number | undefined {
  try {
    return updatesOf(run.snapshots(network).head(listed).data as unknown as RunState);
  } catch (error) {
    if (!(error instanceof SnapshotError) || isUnread(error)) throw error;
    return undefined;
  }
}

/** Whether a record of a run's log is of a network, or of one of its members. */
export function isOf({ started }: RunFolder, network: string): (record: MetricRecord) => boolean {
  const members = started.networks?.find(({ name }) => name === network)?.members ?? [];
  const names = new Set<unknown>([network, ...members]);
  return (record) => names.has(record.network);
}

/** The update with which the training of a network was ended early, and the reason; none where it was not. */
export function endingOf(
  run: RunFolder,
  network: string,
): { readonly number: number; readonly epoch: number; readonly reason: string } | undefined {
  const { streams } = run;
  if (!Object.values(streams).some(({ role }) => role === 'ending')) return undefined;
  const own = isOf(run, network);
  for (const record of recordsOf(run)) {
    if (!own(record) || descriptionOf(streams, record).role !== 'ending') continue;
    return { number: Number(record.number), epoch: Number(record.epoch), reason: String(record.reason) };
  }
  return undefined;
}

/** The epoch of an update, by the updates of an epoch where the log has the end of one; otherwise that of the last one logged before it. */
export function epochOf(run: RunFolder, network: string, at: number): number {
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

/** The update that ended an epoch, where the log has it. */
export function lastUpdateOf(run: RunFolder, network: string, epoch: number | undefined): number | undefined {
  const { streams } = run;
  const own = isOf(run, network);
  for (const record of recordsOf(run)) {
    if (!own(record) || record.epoch !== epoch || record.endsEpoch !== true) continue;
    if (descriptionOf(streams, record).role === 'training') return Number(record.number);
  }
  return undefined;
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
  if (startInOrigin(run, network) !== undefined) {
    throw new WeirError(
      `${run.shown} has no snapshot of network '${network}' up to update ${origin.at} that can be read`,
      'name a later update, of which it has one; or fork the run that it was forked from',
    );
  }
  const branch = run.started.networks?.find(({ name }) => name === network)?.branch;
  const pinned = branch && run.snapshots(branch.of).pinned(epochLabel(branch.epoch));
  return { state: undefined, trunk: pinned && runState(pinned) };
}

/**
 * Writes what the other run logged of a network up to the update of the fork into the log of the forked run. Then the log stands at the
 * state that the network begins with: what is made again from there must be what these lines say. Where the same bits are not promised, only
 * the lines up to that state are written.
 */
export function carryLog(
  origin: RunOrigin,
  network: string,
  { state }: Beginning,
  metrics: Log,
  { sameBits }: { readonly sameBits: boolean },
): void {
  const run = runOfOrigin(origin);
  const own = isOf(run, network);
  let carried = 0;
  for (const record of state === undefined ? [] : readMetrics(run.log, state.logged.bytes)) {
    if (!own(record)) continue;
    metrics.append(record);
    carried++;
  }
  metrics.flush();
  if (!sameBits) return;
  const { mark } = metrics;
  for (const record of recordsOf(run)) {
    if (!own(record) || carried-- > 0) continue;
    if (typeof record.number === 'number' && record.number > origin.at) break;
    metrics.append(record);
  }
  metrics.flush();
  metrics.follow(mark, { more: true });
}
