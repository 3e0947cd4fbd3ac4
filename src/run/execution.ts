import { rmSync } from 'node:fs';
import type { Observable } from 'rxjs';
import type { Data, Positioned } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { Flow, type Outcome } from '../flow/flow.js';
import { stage } from '../flow/stage.js';
import { journal, type MetricRecord } from '../storage/journal.js';
import type { LogMark } from '../storage/metric-log.js';
import { type RunConfig, RunFolder } from '../storage/run-folder.js';
import {
  done,
  newestWholeState,
  type RunState,
  readNetworkState,
  runState,
  trainedState,
} from '../storage/run-state.js';
import { isUnread, SnapshotError } from '../storage/snapshot-error.js';
import type { About } from '../storage/snapshot-format.js';
import type { SnapshotStore } from '../storage/snapshot-store.js';
import { type Consensus, type Log, single, unwritten, type Votes } from './consensus.js';
import { classesOfTask, type Network, type Pipeline } from './pipeline.js';
import { isDue, Requests, type SnapshotCadence, type SnapshotPoint } from './requests.js';
import type { RunIdentity } from './run-identity.js';
import { checkLog } from './run-log.js';
import type { Watch } from './watch.js';
import { weightsDigest } from './weights.js';

export interface ExecutionOptions extends SnapshotCadence {
  /** How many to keep; those that other networks branch off, and the last of each network, are kept besides. */
  readonly snapshotKeep?: number;
  /** What to do when a snapshot cannot be written. */
  readonly onSnapshotError: 'stop' | 'warn';
  /** Told of everything that happens; it must not throw and not take long. */
  readonly watch: Watch;
  /** Throws where the folder is no longer this process's own. */
  readonly check?: () => void;
  /** Names of processes of other machines that the user says are dead. */
  readonly dead?: readonly string[];
  /** What the run is a function of; compared as each network is wired, and written with its snapshots. */
  readonly identity?: RunIdentity | undefined;
  /** What the ranks agree upon, where there are several. */
  readonly consensus?: Consensus;
}

const atEpoch = (epoch: number): string => `epoch-${epoch}`; // and of one that others branch off

/** What a network is run with: from a state of its own on, or from that of the one it branches off, or from its beginning. */
interface Running {
  readonly networks: readonly Network[];
  readonly index: number;
  readonly store: SnapshotStore;
  readonly metrics: Log;
  readonly state: RunState | undefined;
  readonly trunk: RunState | undefined;
  /** Where it is run only up to the end of an epoch, to be pinned there. */
  readonly pin?: { readonly epoch: number; readonly into: SnapshotStore };
}

/** A run under way: its networks one after another, each from its newest snapshot on. */
export class Execution {
  private flow: Flow | undefined;
  private stopped = false;
  private lost: string | undefined;
  private readonly remarked = new Set<string>();
  private readonly requests = new Requests();
  private readonly consensus: Consensus;

  constructor(
    private readonly folder: RunFolder,
    private readonly pipeline: Pipeline,
    private readonly options: ExecutionOptions,
  ) {
    this.consensus = options.consensus ?? single;
  }

  /** Ends the run at the next moment of rest, after a snapshot. */
  stop(): void {
    this.stopped = true;
    if (this.consensus.alone) this.flow?.stop(); // else where all ranks agree upon it
    this.requests.stopped();
  }

  /** Writes a snapshot at the next moment of rest. */
  snapshot(): void {
    this.requests.snapshot(this.flow);
  }

  /** Holds the run at the next moment of rest, until `resume` or `stop`. */
  pause(): void {
    this.requests.pause(this.flow);
  }

  resume(): void {
    this.requests.resume();
  }

  /** Why the newest snapshot could not be written, where the run went on without; none once one is written again. */
  get unsaved(): string | undefined {
    return this.lost;
  }

  /** Trains and measures what is not done yet. @returns 'stopped' when it can be resumed. */
  async run(): Promise<Outcome> {
    if (this.consensus.writes) {
      this.checkOrigins(); // first: a snapshot of another run knows another log
      checkLog(this.folder, { altered: true }); // before anything is written; those that are altered are told below
    }
    const metrics = this.consensus.writes ? this.folder.metrics : unwritten;
    try {
      const outcome = await this.runAll(metrics);
      metrics.flush();
      return outcome;
    } finally {
      metrics.close();
    }
  }

  private async runAll(metrics: Log): Promise<Outcome> {
    const { config, seed } = this.folder.started;
    const networks = this.pipeline.networks(config, seed);
    const stores = networks.map(({ name }) => this.folder.snapshots(name, { keep: this.options.snapshotKeep }));
    const newest = stores.findLastIndex((store) => store.list().length > 0 || store.had(done));
    const begins: LogMark[] = [this.folder.started.from?.logged ?? { bytes: 0 }]; // where each network's lines do
    for (const [i, network] of networks.entries()) {
      const store = stores[i]!;
      const before = newestWholeState(store);
      if (before !== undefined) this.checkOrigin(network.name, before);
      if (before?.done && before.refused.length === 0) {
        begins.push(before.state.logged);
        continue;
      }
      const again = i < newest || store.had(done); // it was finished once: what is logged of it stays
      for (const { message } of before?.refused ?? []) {
        const what = again ? `network '${network.name}', which was finished, is made again` : 'the run goes on';
        this.options.watch.warn(`${message}; ${what} from ${before!.path}${again ? ', and no other is touched' : ''}`);
      }
      const trunk = before === undefined ? await this.branchedOff(networks, i, metrics, begins) : undefined;
      if (trunk === 'stopped') return 'stopped';
      if (this.consensus.writes) for (const { file } of before?.refused ?? []) store.setAside(file);
      const from = before?.state.logged ?? begins[i]!;
      if (again) metrics.follow(from, { more: i === newest });
      else metrics.cutBack(from);
      const outcome = await this.runNetwork({ networks, index: i, store, metrics, state: before?.state, trunk });
      if (outcome === 'stopped') return outcome;
      begins.push(metrics.mark);
    }
    return 'done';
  }

  private checkOrigins(): void {
    const { config, seed } = this.folder.started;
    for (const { name } of this.pipeline.networks(config, seed)) {
      try {
        const newest = this.folder.snapshots(name).newestHead();
        if (newest !== undefined) this.checkOrigin(name, newest);
      } catch (error) {
        if (!(error instanceof SnapshotError) || isUnread(error)) throw error; // an altered one is told below
      }
    }
  }

  /** Refuses a snapshot that this run did not make; of several ranks the one that writes them can tell. */
  private checkOrigin(network: string, found: { readonly path: string; readonly about: About }): void {
    if (this.consensus.writes) this.options.identity?.checkSnapshot(network, found);
  }

  /** Says what the user should know of the graph, once, and not for every network and rank. */
  private remark(remarks: readonly string[]): void {
    for (const remark of remarks) {
      if (this.consensus.writes && !this.remarked.has(remark)) this.options.watch.warn(remark);
      this.remarked.add(remark);
    }
  }

  /** The state that a network begins with where it branches off another; where that was lost it is made again first. */
  private async branchedOff(
    networks: readonly Network[],
    index: number,
    metrics: Log,
    begins: readonly LogMark[],
  ): Promise<RunState | 'stopped' | undefined> {
    const { name, branch } = networks[index]!;
    if (branch === undefined || this.folder.started.from !== undefined) return undefined;
    const store = this.folder.snapshots(branch.of);
    const label = atEpoch(branch.epoch);
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
    const had = store.had(label) || readNetworkState(store)?.pinned.includes(label);
    if (had) return await this.remade(networks, index, metrics, begins);
    throw noSnapshot(name, branch);
  }

  /**
   * Makes a pinned snapshot of a finished network again: trains that network anew up to there, beside what it has, and along the lines
   * that are logged of it already. Stopped or killed, it goes on from its own snapshots.
   */
  private async remade(
    networks: readonly Network[],
    branching: number,
    metrics: Log,
    begins: readonly LogMark[],
  ): Promise<RunState | 'stopped'> {
    const { name, branch } = networks[branching]!;
    const { of, epoch } = branch!;
    const index = networks.findIndex((network) => network.name === of);
    const beside = this.folder.snapshots(`${of}/again`, { keep: this.options.snapshotKeep });
    const before = newestWholeState(beside);
    if (before !== undefined) this.checkOrigin(of, before);
    this.options.watch.warn(
      `the snapshot of '${of}' at the end of epoch ${epoch} is lost: it is made again, and all that is finished stays as it is`,
    );
    const trunk = before === undefined ? await this.branchedOff(networks, index, metrics, begins) : undefined;
    if (trunk === 'stopped') return 'stopped';
    metrics.follow(before?.state.logged ?? begins[index]!, { more: false });
    const pin = { epoch, into: this.folder.snapshots(of, { keep: this.options.snapshotKeep }) };
    const outcome = await this.runNetwork({
      networks,
      index,
      store: beside,
      metrics,
      state: before?.state,
      trunk,
      pin,
    });
    this.consensus.same({}, { remedy: 'go on with the run' }); // all ranks are here: the first one has written it
    const found = pin.into.pinned(atEpoch(epoch));
    if (found === undefined && outcome === 'done') throw noSnapshot(name, branch!);
    if (found === undefined) return 'stopped';
    if (this.consensus.writes) rmSync(beside.folder, { recursive: true, force: true });
    return runState(found);
  }

  private async runNetwork({ networks, index, store, metrics, state, trunk, pin }: Running): Promise<Outcome> {
    const { watch, onSnapshotError, identity } = this.options;
    const { config, from } = this.folder.started;
    const network = networks[index]!;
    const branches = new Set(networks.flatMap(({ branch }) => (branch?.of === network.name ? [branch.epoch] : [])));
    const streams = await this.pipeline.wire({ config, network, seed: network.seed });
    const begun = performance.now() - 1000 * ((state ?? trunk)?.seconds ?? 0);
    let update = (state ?? trunk)?.update ?? 0;
    let checked = performance.now();
    let ended: number | undefined; // the epoch that the newest update is the last of
    let saved: SnapshotPoint = { at: performance.now(), update, epoch: ended };

    const write = (record: MetricRecord): void => {
      if (typeof record.number === 'number') update = record.number;
      if (typeof record.endsEpoch === 'boolean') ended = record.endsEpoch ? (record.epoch as number) : undefined;
      metrics.append({ ...record, wall: { seconds: (performance.now() - begun) / 1000 } });
      watch.record(record);
    };
    const snapshot = (flow: Flow, label: string | number = flow.finished ? done : update, into = store): void => {
      const seconds = (performance.now() - begun) / 1000;
      const about = {
        ...{ pipeline: this.pipeline.name, network: network.name, seed: network.seed, update },
        ...(identity && { identity: identity.digest(network.name) }),
        ...(label === done && {
          pinned: into.list().flatMap((one) => (one.pinned && one.label !== done ? [one.label] : [])),
        }),
      };
      const state: RunState = { flow: flow.save(), logged: metrics.mark, update, seconds };
      this.consensus.sameState(flow, state);
      try {
        if (this.consensus.writes) {
          this.options.check?.();
          metrics.flush({ sync: true });
          identity?.save(); // before the snapshot that carries its digest
          const path = into.write(label, state as unknown as Data, about, { late: into !== store });
          watch.snapshot(path, update);
        }
        this.lost = undefined;
      } catch (error) {
        if (onSnapshotError === 'stop' || flow.finished) throw error;
        this.lost = (error as Error).message;
        watch.warn(`${this.lost}; going on without`);
      }
      saved = { at: performance.now(), update, epoch: ended };
    };
    const rested = (at: Flow): Votes => {
      watch.rest();
      if (performance.now() - checked > 1000) {
        this.options.check?.();
        checked = performance.now();
      }
      metrics.flushAfter(2000); // who looks at it meanwhile sees it grow
      if (ended !== undefined && (pin === undefined ? branches.delete(ended) : ended === pin.epoch)) {
        snapshot(at, atEpoch(ended), pin?.into);
        if (pin !== undefined && !at.stopping) at.stop();
      }
      const now: SnapshotPoint = { at: performance.now(), update, epoch: ended };
      const asked = this.consensus.agree(
        {
          stop: this.stopped,
          snapshot: this.requests.takeSnapshot() || isDue(this.options, saved, now),
          hold: this.requests.holds(at),
        },
        update,
      );
      at.waited = this.consensus.waited;
      if (asked.stop && !at.stopping) at.stop();
      if (asked.snapshot || at.stopping || at.finished || at.ending !== undefined) snapshot(at);
      return asked;
    };
    const flow = new Flow(
      logged(streams, network.name, write),
      (at) => {
        if (at.ending !== undefined && !this.consensus.alone) return; // of this rank alone: the others are not at rest, and lose it
        const { hold, stop } = rested(at);
        if (!hold || stop || at.held) return;
        metrics.flush(); // who looks at it while it is held sees all of it
        watch.held(true);
        return this.requests.hold(at, () => rested(at).hold, this.consensus.alone).finally(() => watch.held(false));
      },
      this.consensus.share,
      (line) => watch.warn(line),
    );
    this.flow = flow;
    this.remark(flow.remarks);
    try {
      await identity?.wired(this.pipeline, network.name, flow); // before anything is done with its data
      for (const one of identity?.said.splice(0) ?? []) watch.warn(one);
      if (state !== undefined) flow.load(state.flow);
      else if (from !== undefined) flow.load(takenFrom(from, network.name).flow, from.again);
      else {
        if (trunk !== undefined) flow.load(trunk.flow);
        flow.introduce();
        const classes = classesOfTask(this.pipeline, flow);
        for (const { members, ...one } of network.members ?? [network]) {
          write({ network: one.name, stream: 'network', ...(classes && { classes }), ...one, ...this.pipeline.task });
        }
      }
      this.consensus.sameGraph(flow, update);
      if (this.stopped && this.consensus.alone) flow.stop();
      watch.network(network, index, networks.length, flow, (state ?? trunk)?.update);
      return await flow.start();
    } finally {
      this.flow = undefined;
      flow.close();
      metrics.flushAfter(0); // an error that ends the run is told before that of a full disk
    }
  }
}

const noSnapshot = (network: string, { of, epoch }: NonNullable<Network['branch']>): WeirError =>
  new WeirError(
    `network '${network}' branches off '${of}' at the end of epoch ${epoch}, of which there is no snapshot`,
    `let '${of}' train longer than that, and return its updates' stream from wire`,
  );
/** The last state of a network that this run took over. @throws {WeirError} where it is not the one that was taken */
function takenFrom({ run, weights }: NonNullable<RunConfig['from']>, network: string): RunState {
  const state = trainedState(RunFolder.open(run), network);
  const wanted = weights[network];
  if (wanted === undefined || weightsDigest(state) === wanted) return state;
  throw new WeirError(
    `network '${network}' of ${run} has other weights than when this run took it over`,
    'put that run back, or attack it again as it is',
  );
}

function logged(
  streams: Readonly<Record<string, Observable<unknown>>>,
  network: string,
  write: (record: MetricRecord) => void,
): Record<string, Observable<unknown>> {
  return Object.fromEntries(
    Object.entries(streams).map(([name, stream]) => [
      name,
      (stream as Observable<Positioned>).pipe(stage(journal(network, name.replace(/\$$/, ''), write))),
    ]),
  );
}
