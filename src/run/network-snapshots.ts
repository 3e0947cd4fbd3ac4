import type { Data } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { Flow } from '../flow/flow.js';
import type { Counted } from '../flow/schedule.js';
import type { ArrayKeeper } from '../storage/kept-arrays.js';
import type { StreamRecord } from '../storage/metric-reader.js';
import { done, type RunState } from '../storage/run-state.js';
import type { SnapshotStore } from '../storage/snapshot-store.js';
import { now as clockNow } from '../surroundings/surroundings.js';
import { bestLabel, bestUpdates, isBestLabel } from './best.js';
import type { Consensus, Log } from './consensus.js';
import type { Network, Pipeline } from './pipeline.js';
import type { RunIdentity } from './run-identity.js';
import type { Watch } from './watch.js';
import { updatesOf } from './weights.js';

/** When snapshots are written, by any of three rules. */
export interface SnapshotCadence {
  /** Seconds from one snapshot to the next. */
  readonly snapshotEvery: number;
  /** Updates from one snapshot to the next, as they are logged; no such rule where left out. */
  readonly snapshotUpdates?: number;
  /** Epochs from one snapshot to the next; no such rule where left out. */
  readonly snapshotEpochs?: number;
}

/** How far a network was at a time in milliseconds: its newest update, and the epoch that this update ended, if any. */
export interface SnapshotPoint {
  readonly at: number;
  readonly update: number;
  readonly epoch: number | undefined;
}

/** Whether a snapshot is due, by the clock, by updates or by epochs. */
export function needsSnapshot(
  { snapshotEvery, snapshotUpdates, snapshotEpochs }: SnapshotCadence,
  saved: SnapshotPoint,
  now: SnapshotPoint,
): boolean {
  if (now.at - saved.at > 1000 * snapshotEvery) return true;
  if (snapshotUpdates !== undefined && now.update - saved.update >= snapshotUpdates) return true;
  if (snapshotEpochs === undefined || !now.epoch || now.epoch === saved.epoch) return false; // epoch 0: nothing is trained yet
  return now.epoch % snapshotEpochs === 0;
}

/** The label of a snapshot at the end of an epoch, from which other networks branch off. */
export const epochLabel = (epoch: number): string => `epoch-${epoch}`;

/** The label of a snapshot of an update at which the config of a network changes. */
export const updateLabel = (update: number): string => `at-${update}`;

/** A snapshot that ends the training: at the end of an epoch, or when all work on an update is done; and the store that gets it. */
export type Pin = ({ readonly epoch: number } | { readonly update: number }) & { readonly into: SnapshotStore };

export interface SnapshotOptions extends SnapshotCadence {
  /** What happens when a snapshot cannot be written. */
  readonly onSnapshotError: 'stop' | 'warn';
  readonly watch: Watch;
  /** Throws where the folder no longer belongs to this process. */
  readonly check?: () => void;
  readonly identity?: RunIdentity | undefined;
}

/** A network, and where its snapshots and its log go. */
export interface SnapshotTarget {
  readonly pipeline: Pick<Pipeline, 'name'>;
  readonly network: Network;
  readonly store: SnapshotStore;
  readonly metrics: Log;
  readonly consensus: Consensus;
  /** Epochs at whose end other networks branch off. */
  readonly branches: readonly number[];
  readonly pin?: Pin | undefined;
  /** Where the arrays go that are kept of all records. */
  readonly arrays?: Pick<ArrayKeeper, 'flush'> | undefined;
}

/** Follows how far one network is, and writes its snapshots at barriers. */
export class NetworkSnapshots {
  /** The newest update: of the training, or of the log where nothing trains. */
  update: number;
  /** Updates that the training step has made. */
  trained: number;
  /** Whether a training step says how far the network is, and not its log. */
  followsTraining = false;
  /** Why the newest snapshot could not be written, where the run went on without it. */
  unsaved: string | undefined;
  private best: number | undefined; // the newest update that was found to be among the best
  private epoch: number | undefined; // the epoch that the newest update ended
  private saved: SnapshotPoint;
  private readonly startedAt: number;
  private readonly branches: Set<number>;

  /** @param from the state that the network starts with, if any */
  constructor(
    private readonly target: SnapshotTarget,
    private readonly options: SnapshotOptions,
    from: RunState | undefined,
  ) {
    this.startedAt = clockNow() - 1000 * (from?.seconds ?? 0);
    this.update = from?.update ?? 0;
    this.trained = (from && updatesOf(from)) ?? 0;
    this.best = from?.update; // it was written before the snapshot that this goes on from
    this.saved = this.now;
    this.branches = new Set(target.branches);
  }

  /** Seconds of work on this network, those before the resumed snapshot included. */
  get seconds(): number {
    return (clockNow() - this.startedAt) / 1000;
  }

  /** Notes how far the training is, by an update as it is handed out. */
  noteTrained({ number, endsEpoch, epoch }: Counted): void {
    this.trained = this.update = number;
    this.epoch = endsEpoch ? epoch : undefined;
  }

  /** Notes how far a network that is not trained here is, by a record of its log. */
  noteLogged({ number, endsEpoch, epoch }: StreamRecord): void {
    if (this.followsTraining) return;
    if (typeof number === 'number') this.update = number;
    if (typeof endsEpoch === 'boolean') this.epoch = endsEpoch ? (epoch as number) : undefined;
  }

  /** Whether the cadence asks for a snapshot. */
  get due(): boolean {
    return needsSnapshot(this.options, this.saved, this.now);
  }

  /** Whether a snapshot with a name is to be written now, in whose place the cadence needs no other. */
  writesNamed(flow: Flow): boolean {
    const { epoch, target } = this;
    if (this.isNewBest(flow)) return true;
    if (epoch === undefined) return false;
    return target.pin !== undefined && 'epoch' in target.pin ? epoch === target.pin.epoch : this.branches.has(epoch);
  }

  private isNewBest(flow: Flow): boolean {
    return this.best !== this.update && bestUpdates(flow).includes(this.update);
  }

  /** Writes the snapshot of an update that is among the best by a measurement, once. */
  writeBest(flow: Flow): void {
    if (!this.isNewBest(flow)) return;
    this.best = this.update;
    this.write(flow, bestLabel(this.update));
  }

  /** Writes the snapshot of an epoch that has just ended, where one is wanted. @returns whether the training ends with it */
  writeEpochEnd(flow: Flow): boolean {
    const { epoch } = this;
    const { pin } = this.target;
    if (epoch === undefined) return false;
    if (pin === undefined || 'update' in pin) {
      if (this.branches.delete(epoch)) this.write(flow, epochLabel(epoch));
      return false;
    }
    if (epoch !== pin.epoch) return false;
    this.write(flow, epochLabel(epoch), pin.into);
    return true;
  }

  /**
   * Writes the snapshot of the update that is pinned, when all work on it is done.
   *
   * @returns whether the training ends with it
   * @throws {WeirError} where the training is over, and did not come to that update
   */
  writePinnedUpdate(flow: Flow): boolean {
    const { pin, network } = this.target;
    if (pin === undefined || !('update' in pin)) return false;
    if (this.trained === pin.update && (flow.barrier.whole || flow.finished)) {
      this.write(flow, updateLabel(pin.update), pin.into);
      return true;
    }
    if (!flow.finished && this.trained <= pin.update) return false;
    throw new WeirError(
      `the training of network '${network.name}' ends with update ${this.trained}, and has no update ${pin.update}`,
      'name an update that it has',
    );
  }

  /**
   * Writes a snapshot; the rank that writes the folder does it, and all ranks compare their states first.
   *
   * @throws {WeirError} where it cannot be written and errors stop the run, or where the network is finished
   */
  write(
    flow: Flow,
    label: string | number = flow.finished ? done : this.update,
    into: SnapshotStore = this.target.store,
  ): void {
    const { metrics, consensus, store, arrays } = this.target;
    const { identity, watch, onSnapshotError } = this.options;
    const state: RunState = { flow: flow.save(), logged: metrics.mark, update: this.update, seconds: this.seconds };
    consensus.sameState(flow, state);
    try {
      if (consensus.writes) {
        this.options.check?.();
        metrics.flush({ sync: true });
        arrays?.flush();
        identity?.save(); // before the snapshot that carries its digest
        const path = into.write(label, state as unknown as Data, this.about(flow, label, into), {
          late: into !== store,
        });
        watch.snapshot(path, this.update);
        if (!isBestLabel(String(label))) this.forget(flow, into);
      }
      this.unsaved = undefined;
    } catch (error) {
      if (onSnapshotError === 'stop' || flow.finished) throw error;
      this.unsaved = (error as Error).message;
      watch.warn(`${this.unsaved}; going on without this snapshot`);
    }
    this.saved = this.now;
  }

  /** Removes snapshots that are no longer among the best, now that one holds a state which says so. */
  private forget(flow: Flow, store: SnapshotStore): void {
    const best = bestUpdates(flow).map(bestLabel);
    store.unpin((label) => isBestLabel(label) && !best.includes(label));
  }

  private about(flow: Flow, label: string | number, into: SnapshotStore) {
    const best = bestUpdates(flow);
    const { pipeline, network } = this.target;
    const { identity } = this.options;
    const pinned = () => into.list().flatMap((one) => (one.pinned && one.label !== done ? [one.label] : []));
    return {
      pipeline: pipeline.name,
      network: network.name,
      seed: network.seed,
      update: this.update,
      whole: flow.barrier.whole || flow.finished,
      ...(best.length > 0 && { best }),
      ...(identity && { identity: identity.digest(network.name) }),
      ...(label === done && { pinned: pinned() }),
    };
  }

  private get now(): SnapshotPoint {
    return { at: clockNow(), update: this.update, epoch: this.epoch };
  }
}
