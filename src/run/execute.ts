import type { Observable } from 'rxjs';
import type { Data } from '../core/data.js';
import { WeirError } from '../core/errors.js';
import { Flow, type Outcome } from '../core/flow.js';
import type { Positioned } from '../core/item.js';
import { stage } from '../core/stage.js';
import { type Cadence, isDue, type Moment } from './due.js';
import { type RunConfig, RunFolder } from './folder.js';
import type { RunIdentity } from './identity/run-identity.js';
import { journal, type MetricRecord } from './journal.js';
import type { Network, Pipeline } from './pipeline.js';
import { type Log, Together, unwritten, type Wishes } from './ranks/together.js';
import { Requests } from './requests.js';
import { done, type RunState, readState, runState, trained } from './run-state.js';
import type { SnapshotStore } from './snapshot/store.js';
import { classesOfTask } from './try-out.js';
import type { Watch } from './watch.js';
import { weightsDigest } from './weights/of-snapshot.js';

export interface Options extends Cadence {
  /** How many to keep; those that other networks branch off, and the last of each network, are kept besides. */
  readonly snapshotKeep?: number;
  /** What to do when a snapshot cannot be written. */
  readonly onSnapshotError: 'stop' | 'warn';
  /** Told of everything that happens; it must not throw and not take long. */
  readonly watch: Watch;
  /** What the run is a function of; compared as each network is wired, and written with its snapshots. */
  readonly identity?: RunIdentity | undefined;
  /** What the ranks agree upon, where there are several. */
  readonly together?: Together;
}

const atEpoch = (epoch: number): string => `epoch-${epoch}`; // and of one that others branch off

/** A run under way: its networks one after another, each from its newest snapshot on. */
export class Execution {
  private flow: Flow | undefined;
  private stopped = false;
  private lost: string | undefined;
  private readonly remarked = new Set<string>();
  private readonly requests = new Requests();
  private readonly together: Together;

  constructor(
    private readonly folder: RunFolder,
    private readonly pipeline: Pipeline,
    private readonly options: Options,
  ) {
    this.together = options.together ?? new Together();
  }

  /** Ends the run at the next moment of rest, after a snapshot. */
  stop(): void {
    this.stopped = true;
    if (this.together.alone) this.flow?.stop(); // else where all ranks agree upon it
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
    const metrics = this.together.writes ? this.folder.metrics : unwritten;
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
    let logged = this.folder.started.from?.logged ?? 0;
    for (const [i, network] of networks.entries()) {
      const store = this.folder.snapshots(network.name, { keep: this.options.snapshotKeep });
      const before = readState(store, (message) => this.options.watch.warn(message));
      if (before !== undefined) this.options.identity?.checkSnapshot(network.name, before);
      if (before?.done) {
        logged = before.state.logged;
        continue;
      }
      metrics.cutBack(before?.state.logged ?? logged);
      const outcome = await this.runNetwork(networks, i, store, metrics, before?.state);
      if (outcome === 'stopped') return outcome;
      logged = metrics.length;
    }
    return 'done';
  }

  /** Says what the user should know of the graph, once, and not for every network and rank. */
  private remark(remarks: readonly string[]): void {
    for (const remark of remarks) {
      if (this.together.writes && !this.remarked.has(remark)) this.options.watch.warn(remark);
      this.remarked.add(remark);
    }
  }

  /** The state that a network begins with where it branches off another. */
  private branchedOff({ name, branch }: Network): RunState | undefined {
    if (branch === undefined) return undefined;
    const found = this.folder.snapshots(branch.of).pinned(atEpoch(branch.epoch));
    if (found !== undefined) {
      this.options.identity?.checkSnapshot(branch.of, found);
      return runState(found);
    }
    throw new WeirError(
      `network '${name}' branches off '${branch.of}' at the end of epoch ${branch.epoch}, of which there is no snapshot`,
      `let '${branch.of}' train longer than that, and return its updates' stream from wire`,
    );
  }

  private async runNetwork(
    networks: readonly Network[],
    index: number,
    store: SnapshotStore,
    metrics: Log,
    state: RunState | undefined,
  ): Promise<Outcome> {
    const { watch, onSnapshotError, identity } = this.options;
    const { config, from } = this.folder.started;
    const network = networks[index]!;
    const branches = new Set(networks.flatMap(({ branch }) => (branch?.of === network.name ? [branch.epoch] : [])));
    const trunk = state === undefined && from === undefined ? this.branchedOff(network) : undefined;
    const streams = await this.pipeline.wire({ config, network, seed: network.seed });
    const begun = performance.now() - 1000 * ((state ?? trunk)?.seconds ?? 0);
    let update = (state ?? trunk)?.update ?? 0;
    let ended: number | undefined; // the epoch that the newest update is the last of
    let saved: Moment = { at: performance.now(), update, epoch: ended };

    const write = (record: MetricRecord): void => {
      if (typeof record.number === 'number') update = record.number;
      if (typeof record.endsEpoch === 'boolean') ended = record.endsEpoch ? (record.epoch as number) : undefined;
      metrics.append({ ...record, wall: { seconds: (performance.now() - begun) / 1000 } });
      watch.record(record);
    };
    const snapshot = (flow: Flow, label: string | number = flow.finished ? done : update): void => {
      const seconds = (performance.now() - begun) / 1000;
      const about = {
        ...{ pipeline: this.pipeline.name, network: network.name, seed: network.seed, update },
        ...(identity && { identity: identity.digest(network.name) }),
      };
      const state: RunState = { flow: flow.save(), logged: metrics.length, update, seconds };
      this.together.sameState(flow, state);
      try {
        if (this.together.writes) {
          metrics.flush({ sync: true });
          identity?.save(); // before the snapshot that carries its digest
          watch.snapshot(store.write(label, state as unknown as Data, about), update);
        }
        this.lost = undefined;
      } catch (error) {
        if (onSnapshotError === 'stop' || flow.finished) throw error;
        this.lost = (error as Error).message;
        watch.warn(`${this.lost}; going on without`);
      }
      saved = { at: performance.now(), update, epoch: ended };
    };
    const rested = (at: Flow): Wishes => {
      watch.rest();
      metrics.flushAfter(2000); // who looks at it meanwhile sees it grow
      if (ended !== undefined && branches.delete(ended)) snapshot(at, atEpoch(ended));
      const now: Moment = { at: performance.now(), update, epoch: ended };
      const asked = this.together.agree(
        {
          stop: this.stopped,
          snapshot: this.requests.takeSnapshot() || isDue(this.options, saved, now),
          hold: this.requests.holds(at),
        },
        update,
      );
      at.waited = this.together.waited;
      if (asked.stop && !at.stopping) at.stop();
      if (asked.snapshot || at.stopping || at.finished || at.ending !== undefined) snapshot(at);
      return asked;
    };
    const flow = new Flow(
      logged(streams, network.name, write),
      (at) => {
        if (at.ending !== undefined && !this.together.alone) return; // of this rank alone: the others are not at rest, and lose it
        const { hold, stop } = rested(at);
        if (!hold || stop || at.held) return;
        metrics.flush(); // who looks at it while it is held sees all of it
        watch.held(true);
        return this.requests.hold(at, () => rested(at).hold, this.together.alone).finally(() => watch.held(false));
      },
      this.together.share,
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
      this.together.sameGraph(flow, update);
      if (this.stopped && this.together.alone) flow.stop();
      watch.network(network, index, networks.length, flow, (state ?? trunk)?.update);
      return await flow.start();
    } finally {
      this.flow = undefined;
      flow.close();
      metrics.flushAfter(0); // an error that ends the run is told before that of a full disk
    }
  }
}

/** The last state of a network that this run took over. @throws {WeirError} where it is not the one that was taken */
function takenFrom({ run, weights }: NonNullable<RunConfig['from']>, network: string): RunState {
  const state = trained(RunFolder.open(run), network);
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
