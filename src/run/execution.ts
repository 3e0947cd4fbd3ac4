import { WeirError } from '../flow/errors.js';
import type { Outcome } from '../flow/flow.js';
import { copyKept } from '../storage/kept-arrays.js';
import type { LogMark } from '../storage/metric-log.js';
import type { RunConfig, RunFolder } from '../storage/run-folder.js';
import {
  done,
  type NetworkState,
  newestWholeState,
  type RunState,
  readNetworkState,
  runState,
} from '../storage/run-state.js';
import { type About, isUnread, SnapshotError } from '../storage/snapshot-format.js';
import type { SnapshotStore } from '../storage/snapshot-store.js';
import { files } from '../surroundings/surroundings.js';
import { type Consensus, type Log, single, unwritten } from './consensus.js';
import { beginningOf, carryLog, endingOf } from './fork-origin.js';
import { epochLabel, type SnapshotOptions, updateLabel } from './network-snapshots.js';
import { type NetworkOptions, NetworkTraining } from './network-training.js';
import { type Network, networksOfRun, type Pipeline } from './pipeline.js';
import { checkLog } from './run-log.js';
import { Requests } from './watch.js';
import { updatesOf } from './weights.js';

export interface ExecutionOptions extends SnapshotOptions {
  /** How many snapshots to keep; those from which networks branch off, and the last of each network, are kept besides. */
  readonly snapshotKeep?: number;
  /** Names of processes of other machines that are dead, as the user says. */
  readonly dead?: readonly string[];
  /** The consensus of the ranks, where there are several. */
  readonly consensus?: Consensus;
}

/** The metric log, and where the lines of each network begin that is done. */
interface OpenLog {
  readonly metrics: Log;
  readonly begins: LogMark[];
}

/** A run under way: its networks one after another, each from its newest snapshot on. */
export class Execution {
  readonly requests: Requests;
  private readonly consensus: Consensus;
  private networks: readonly Network[] = [];
  private readonly remarks = new Set<string>();
  private training: NetworkTraining | undefined;

  constructor(
    private readonly folder: RunFolder,
    private readonly pipeline: Pipeline,
    private readonly options: ExecutionOptions,
  ) {
    this.consensus = options.consensus ?? single;
    this.requests = new Requests(this.consensus.alone);
  }

  /** Why the newest snapshot could not be written, where the run went on without it. */
  get unsaved(): string | undefined {
    return this.training?.unsaved;
  }

  /** Trains and measures all that is not done yet. @returns 'stopped' where it can be resumed */
  async run(): Promise<Outcome> {
    const { config } = this.folder.started;
    this.networks = networksOfRun(this.pipeline, this.folder.started, config);
    if (this.consensus.writes) {
      this.checkOrigins(); // first: a snapshot of another run knows another log
      checkLog(this.folder, { altered: true }); // before anything is written; altered snapshots are reported below
    }
    const metrics = this.consensus.writes ? this.folder.metrics : unwritten;
    try {
      const { from, history } = this.folder.started;
      const begin = history?.at(-1)?.logged ?? from?.logged ?? { bytes: 0 };
      const outcome = await this.runAll({ metrics, begins: [begin] });
      metrics.flush();
      return outcome;
    } finally {
      metrics.close();
    }
  }

  private async runAll(log: OpenLog): Promise<Outcome> {
    const { folder, options, consensus, networks } = this;
    const { metrics, begins } = log;
    const stores = networks.map(({ name }) => folder.snapshots(name, { keep: options.snapshotKeep }));
    const newest = stores.findLastIndex((store) => store.had(done) || wasTrained(store, begins[0]!));
    for (const [index, { name }] of networks.entries()) {
      const store = stores[index]!;
      const before = newestWholeState(store);
      if (before !== undefined) this.checkOrigin(name, before);
      if (before?.done && before.refused.length === 0) {
        begins.push(later(begins[index]!, before.state.logged));
        continue;
      }
      const again = index < newest || store.had(done); // the network was finished before: its log stays
      for (const { message } of before?.refused ?? []) {
        const what = again ? `network '${name}', which was finished, is trained again` : 'the run goes on';
        const others = again ? ', and the others stay as they are' : '';
        options.watch.warn(`${message}; ${what} from ${before!.path}${others}`);
      }
      if (consensus.writes) for (const { file } of before?.refused ?? []) store.setAside(file);
      const state = await this.pastOrigin({ name, store, before, again }, begins[index]!, metrics);
      if (state === 'stopped') return 'stopped';
      const trunk = state === undefined ? await this.trunkOf(index, log) : undefined;
      if (trunk === 'stopped') return 'stopped';
      const from = later(begins[index]!, state?.logged);
      if (again) metrics.follow(from, { more: index === newest });
      else metrics.cutBack(from);
      const outcome = await this.train({ networks, index, store, state, trunk }, metrics);
      if (outcome === 'stopped') return outcome;
      begins.push(metrics.mark);
    }
    return 'done';
  }

  /**
   * Of a forked run: brings a network to the update of the fork, under the config of the other run, from the state that it has there or
   * here. Stopped or killed, it goes on from the snapshots of this run.
   *
   * @returns the state to go on from under this run's config; undefined where the network has none
   */
  private async pastOrigin(
    { name, store, before, again }: Standing,
    begin: LogMark,
    metrics: Log,
  ): Promise<RunState | 'stopped' | undefined> {
    const { origin, seed } = this.folder.started;
    if (origin === undefined) return before?.state;
    const at = origin.ended?.[name] ?? origin.at;
    if (isPast(at, store, before?.state)) return before?.state;
    if (again && before === undefined) {
      throw new WeirError(
        `the snapshots of network '${name}', which was finished, are lost`,
        `put them back from a copy, or fork ${origin.run} again`,
      );
    }
    const start = before === undefined ? beginningOf(origin, name) : { state: before.state, trunk: undefined };
    if (start === undefined) return undefined;
    const moved = this.options.identity?.machineChangesFrom(origin.run) ?? [];
    const sameBits = moved.length === 0 || again; // the lines of later networks follow those of one that was finished
    const from = updatesOf(start.state ?? start.trunk ?? nothing) ?? 0;
    if (!sameBits && from < at && this.consensus.writes) {
      this.options.watch.warn(
        `${name}: updates ${from + 1} to ${at} are made again with ${moved.join(', ')}: they need not have the bits of ${origin.run}`,
      );
    }
    if (before === undefined) {
      metrics.cutBack(begin);
      if (this.consensus.writes) {
        carryLog(origin, name, start, metrics, { sameBits });
        copyKept(origin.run, this.folder.path, { network: name });
      }
    } else if (sameBits) metrics.follow(before.state.logged, { more: true });
    else metrics.cutBack(before.state.logged);
    const networks = this.pipeline.networks(origin.config, seed);
    const index = networks.findIndex((network) => network.name === name);
    const pin = { update: at, into: store };
    await this.train({ networks, index, store, ...start, pin }, metrics, origin.config);
    this.consensus.same({}, { remedy: 'go on with the run' }); // all ranks are here: rank 0 has written the snapshot
    const found = store.pinned(updateLabel(at));
    return found === undefined ? 'stopped' : runState(found);
  }

  private async train(
    start: NetworkOptions,
    metrics: Log,
    config: RunConfig['config'] = this.folder.started.config,
  ): Promise<Outcome> {
    const { folder, pipeline, options, consensus, requests } = this;
    const remark = (line: string): void => {
      if (consensus.writes && !this.remarks.has(line)) options.watch.warn(line);
      this.remarks.add(line);
    };
    const run = { folder, config, pipeline, options, consensus, requests, metrics, remark };
    this.training = await NetworkTraining.of(run, start);
    return this.training.toEnd();
  }

  private checkOrigins(): void {
    for (const { name } of this.networks) {
      try {
        const newest = this.folder.snapshots(name).newestHead();
        if (newest !== undefined) this.checkOrigin(name, newest);
      } catch (error) {
        if (!(error instanceof SnapshotError) || isUnread(error)) throw error; // an altered one is reported later
      }
    }
  }

  /** @throws {WeirError} where another run made this snapshot; of several ranks the one that writes snapshots compares */
  private checkOrigin(network: string, found: { readonly path: string; readonly about: About }): void {
    if (this.consensus.writes) this.options.identity?.checkSnapshot(network, found);
  }

  /** The state that a network starts with where it branches off another. A lost one is made again first. */
  private async trunkOf(index: number, log: OpenLog): Promise<RunState | 'stopped' | undefined> {
    const { name, branch } = this.networks[index]!;
    if (branch === undefined || this.folder.started.from !== undefined) return undefined;
    const store = this.folder.snapshots(branch.of);
    const label = epochLabel(branch.epoch);
    try {
      const found = store.pinned(label);
      if (found !== undefined) {
        this.checkOrigin(branch.of, found);
        return runState(found);
      }
    } catch (error) {
      if (!(error instanceof SnapshotError) || isUnread(error)) throw error;
      this.options.watch.warn(error.message);
      if (this.consensus.writes) store.setAside(error.file);
    }
    this.consensus.same({}, { remedy: 'go on with the run' }); // all ranks are here: rank 0 has logged all of the trunk
    const ending = endingOf(this.folder, branch.of);
    if (ending !== undefined && ending.epoch < branch.epoch) {
      if (this.consensus.writes) {
        this.options.watch.warn(
          `the training of ${branch.of} ended in epoch ${ending.epoch}, before ${name} branches off: it is trained from its beginning`,
        );
      }
      return undefined;
    }
    const taken = this.folder.started.taken?.networks.includes(branch.of); // by a sweep that had no such epoch then
    const had = taken || store.had(label) || readNetworkState(store)?.pinned.includes(label);
    if (had) return this.remakeTrunk(name, branch, log);
    throw noSnapshot(name, branch);
  }

  /**
   * Makes a pinned snapshot of a finished network again: trains the network anew up to there in a store of its own, along the lines that
   * the log has of it already. Stopped or killed, it goes on from the snapshots in that store.
   */
  private async remakeTrunk(name: string, branch: Branch, log: OpenLog): Promise<RunState | 'stopped'> {
    const { folder, options, consensus, networks } = this;
    const { of, epoch } = branch;
    const { metrics, begins } = log;
    const index = networks.findIndex((network) => network.name === of);
    const store = folder.snapshots(`${of}/again`, { keep: options.snapshotKeep });
    const before = newestWholeState(store);
    if (before !== undefined) this.checkOrigin(of, before);
    options.watch.warn(
      `the snapshot of '${of}' at the end of epoch ${epoch} is lost: it is made again, and all finished networks stay as they are`,
    );
    const trunk = before === undefined ? await this.trunkOf(index, log) : undefined;
    if (trunk === 'stopped') return 'stopped';
    metrics.follow(before?.state.logged ?? begins[index]!, { more: false });
    const pin = { epoch, into: folder.snapshots(of, { keep: options.snapshotKeep }) };
    const outcome = await this.train({ networks, index, store, state: before?.state, trunk, pin }, metrics);
    consensus.same({}, { remedy: 'go on with the run' }); // all ranks are here: rank 0 has written the snapshot
    const found = pin.into.pinned(epochLabel(epoch));
    if (found === undefined && outcome === 'done') throw noSnapshot(name, branch);
    if (found === undefined) return 'stopped';
    if (consensus.writes) files.removeFolder(store.folder);
    return runState(found);
  }
}

/** The mark that is further on in the log. */
const later = (one: LogMark, other: LogMark = one): LogMark => (other.bytes > one.bytes ? other : one);

/** Whether a network has a snapshot that was written since the log was at this mark. */
function wasTrained(store: SnapshotStore, since: LogMark): boolean {
  const [newest] = store.list();
  if (newest === undefined || since.bytes === 0) return newest !== undefined;
  try {
    return (store.head(newest).data as unknown as RunState).logged.bytes > since.bytes;
  } catch (error) {
    if (!(error instanceof SnapshotError) || isUnread(error)) throw error;
    return true;
  }
}

/** How far a network is by its snapshots, and whether it was finished before. */
interface Standing {
  readonly name: string;
  readonly store: SnapshotStore;
  readonly before: NetworkState | undefined;
  readonly again: boolean;
}

/** Whether a network of a forked run is past the update of the fork. */
function isPast(at: number, store: SnapshotStore, state: RunState | undefined): boolean {
  const updates = state && updatesOf(state);
  if (updates === undefined || updates < at) return false;
  return updates > at || store.list().some(({ label }) => label === updateLabel(at));
}

const nothing = { flow: { nodes: {} } };

type Branch = NonNullable<Network['branch']>;

const noSnapshot = (network: string, { of, epoch }: Branch): WeirError =>
  new WeirError(
    `network '${network}' branches off '${of}' at the end of epoch ${epoch}, of which there is no snapshot`,
    `let '${of}' train longer than that, and return its updates' stream from wire`,
  );
