import type { Observable } from 'rxjs';
import { withShare } from '../data/loader.js';
import type { Positioned } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { Flow, type Outcome } from '../flow/flow.js';
import { listen } from '../flow/node.js';
import type { Counted } from '../flow/schedule.js';
import { stage } from '../flow/stage.js';
import { ArrayKeeper, type KeptRecord } from '../storage/kept-arrays.js';
import { logStage } from '../storage/log-stage.js';
import type { StreamRecord } from '../storage/metric-reader.js';
import type { RecordSchema } from '../storage/record.js';
import { type RunConfig, RunFolder } from '../storage/run-folder.js';
import type { RunState } from '../storage/run-state.js';
import type { SnapshotStore } from '../storage/snapshot-store.js';
import { now } from '../surroundings/surroundings.js';
import { decisionsIn } from './best.js';
import type { Consensus, Log, Votes } from './consensus.js';
import { NetworkSnapshots, type Pin, type SnapshotOptions } from './network-snapshots.js';
import {
  checkedRecords,
  classesOfTask,
  type Network,
  type Pipeline,
  recordsDeclaredBy,
  type Streams,
  streamName,
} from './pipeline.js';
import type { Requests } from './watch.js';
import { trainedStateWith, weightsDigest } from './weights.js';

/** Everything that the networks of a run share. */
export interface RunContext {
  readonly folder: RunFolder;
  /** Of the run, or of the run that it was forked from. */
  readonly config: RunConfig['config'];
  readonly pipeline: Pipeline;
  readonly options: SnapshotOptions;
  readonly consensus: Consensus;
  readonly requests: Requests;
  readonly metrics: Log;
  /** Tells the user something about a graph, once in a run. */
  readonly remark: (line: string) => void;
}

/** One network of a run, and where it starts. */
export interface NetworkOptions {
  readonly networks: readonly Network[];
  readonly index: number;
  readonly store: SnapshotStore;
  /** Its own state to go on from. */
  readonly state: RunState | undefined;
  /** The state of the network that it branches off. */
  readonly trunk: RunState | undefined;
  /** Trains only up to there, and writes that snapshot. */
  readonly pin?: Pin;
}

const checkEvery = 1000; // milliseconds from one check of the folder's lock to the next
const flushEvery = 2000; // milliseconds after which readers of the metric log see a record

/** Trains and measures one network: its streams are wired into a graph and logged, and snapshots are written at some of its barriers. */
export class NetworkTraining {
  private readonly network: Network;
  /** Where the arrays go that are kept of all records; none where another rank writes the folder. */
  private readonly arrays: ArrayKeeper | undefined;
  private readonly snapshots: NetworkSnapshots;
  /** The schema of each stream whose records are checked: known when the graph is wired. */
  private schemas: ReadonlyMap<string, RecordSchema> = new Map();
  private checkedAt = now();

  private constructor(
    private readonly run: RunContext,
    private readonly options: NetworkOptions,
    private readonly streams: Streams,
  ) {
    const { networks, index, store, pin, state, trunk } = options;
    const { pipeline, metrics, consensus } = run;
    const network = networks[index]!;
    this.network = network;
    const { path, started } = run.folder;
    if (consensus.writes) this.arrays = new ArrayKeeper({ path, ...started }, network.name);
    const others = started.part?.[network.name] ?? []; // of other runs
    const branches = [
      ...others,
      ...networks.flatMap(({ branch }) => (branch?.of === network.name ? [branch.epoch] : [])),
    ];
    const target = { pipeline, network, store, metrics, consensus, branches, pin, arrays: this.arrays };
    this.snapshots = new NetworkSnapshots(target, run.options, state ?? trunk);
  }

  /** Wires the streams of a network. */
  static async of(run: RunContext, options: NetworkOptions): Promise<NetworkTraining> {
    const network = options.networks[options.index]!;
    const { config, pipeline } = run;
    return new NetworkTraining(run, options, await pipeline.wire({ config, network, seed: network.seed }));
  }

  /** Why the newest snapshot could not be written, where the training went on without it. */
  get unsaved(): string | undefined {
    return this.snapshots.unsaved;
  }

  /** Trains the network to its end. @returns 'stopped' where it can be resumed */
  async toEnd(): Promise<Outcome> {
    const { pipeline, folder, consensus, requests, metrics, remark } = this.run;
    const { watch, identity } = this.run.options;
    const { networks, index, state, trunk } = this.options;
    const { network, snapshots } = this;
    const onBarrier = (flow: Flow) => this.atBarrier(flow);
    const flow = withShare(consensus.share, () => new Flow(this.logged(), onBarrier, (line) => watch.warn(line)));
    try {
      requests.attach(flow);
      this.schemas = checkedRecords(flow);
      if (consensus.writes) folder.declare(recordsDeclaredBy(flow));
      await identity?.checkInputs(pipeline, network.name, flow); // before anything is done with its data
      for (const line of identity?.said.splice(0) ?? []) watch.warn(line);
      this.load(flow);
      for (const line of flow.remarks) remark(line);
      followUpdates(flow, snapshots);
      consensus.sameGraph(flow, snapshots.update);
      watch.network(network, index, networks.length, flow, (state ?? trunk)?.update);
      const outcome = await flow.start();
      if (outcome === 'done') this.arrays?.end();
      return outcome;
    } finally {
      this.arrays?.close();
      requests.detach();
      flow.close();
      metrics.flushAfter(0); // an error that ends the run is told before that of a full disk
    }
  }

  /** Gives the graph the state that it starts with; a network from its beginning is announced in the log first. */
  private load(flow: Flow): void {
    const { state, trunk } = this.options;
    const { from } = this.run.folder.started;
    if (state !== undefined) flow.load(state.flow);
    else if (from !== undefined) flow.load(takenFrom(from, this.network.name).flow, from.again);
    else if (trunk !== undefined) flow.load(trunk.flow);
    flow.introduce();
    if (state === undefined && from === undefined) this.announce(flow);
  }

  private announce(flow: Flow): void {
    const { pipeline } = this.run;
    const classes = classesOfTask(pipeline, flow);
    for (const { members, ...network } of this.network.members ?? [this.network]) {
      const about = { ...(classes && { classes }), ...network, ...pipeline.task };
      this.log({ network: network.name, stream: 'network', ...about });
    }
  }

  private logged(): Record<string, Observable<unknown>> {
    const entries = Object.entries(this.streams).map(([name, stream]) => {
      const key = streamName(name);
      const schema = () => this.schemas.get(key);
      const keep = this.arrays && ((number: number, record: KeptRecord) => this.arrays!.append(number, record));
      const value = logStage(this.network.name, key, (record) => this.log(record), schema, keep);
      return [name, (stream as Observable<Positioned>).pipe(stage(value))];
    });
    return Object.fromEntries(entries);
  }

  private log(record: StreamRecord): void {
    const { metrics, options } = this.run;
    this.snapshots.noteLogged(record);
    metrics.append({ ...record, wall: { seconds: this.snapshots.seconds } });
    options.watch.record(record);
    if (this.run.consensus.writes && this.schemas.get(record.stream)?.description.role === 'ending') {
      options.watch.warn(`the training of ${record.network} ends with update ${record.number}: ${record.reason}`);
    }
  }

  /** Answers a barrier: votes, writes snapshots, and holds the flow where that was asked for. */
  private atBarrier(flow: Flow): Promise<void> | undefined {
    const { consensus, requests, metrics, options } = this.run;
    if (flow.barrier.ending !== undefined && !consensus.alone) return; // an error of this rank alone: the others do not reach this barrier
    const { hold, stop } = this.vote(flow);
    if (!hold || stop || flow.barrier.held) return;
    metrics.flush(); // readers see all of the log while the run is held
    options.watch.held(true);
    return requests.hold(flow, () => this.vote(flow).hold).finally(() => options.watch.held(false));
  }

  private vote(flow: Flow): Votes {
    const { consensus, requests, metrics, options } = this.run;
    const { snapshots } = this;
    options.watch.barrier(consensus.waited);
    if (now() - this.checkedAt > checkEvery) {
      options.check?.();
      this.checkedAt = now();
    }
    metrics.flushAfter(flushEvery);
    const own = requests.votes(flow);
    const due = snapshots.due && !snapshots.writesNamed(flow);
    // First of all: what follows is done by all ranks or by none.
    const all = consensus.agree({ ...own, snapshot: own.snapshot || due }, snapshots.update, () => decisionsIn(flow));
    snapshots.writeBest(flow);
    if (snapshots.writeEpochEnd(flow) && !flow.barrier.stopping) flow.stop();
    const pinned = flow.barrier.ending === undefined && snapshots.writePinnedUpdate(flow);
    if (pinned && !flow.barrier.stopping) flow.stop();
    if (pinned) return all; // behind this snapshot there is nothing to save
    if (all.stop && !flow.barrier.stopping) flow.stop();
    if (all.snapshot || flow.barrier.stopping || flow.finished || flow.barrier.ending !== undefined)
      snapshots.write(flow);
    return all;
  }
}

/** Has the snapshots follow the training itself: a stream may be logged late, or not at all. */
function followUpdates(flow: Flow, snapshots: NetworkSnapshots): void {
  const serial = flow.nodes.find(({ kind }) => kind === 'serial');
  if (serial === undefined) return;
  snapshots.followsTraining = true;
  listen(serial, (update) => snapshots.noteTrained(update as Counted));
}

/** The last state of a network that this run took over. @throws {WeirError} where its weights are not those that were taken over */
function takenFrom({ run, weights, taken = {} }: NonNullable<RunConfig['from']>, network: string): RunState {
  const { state } = trainedStateWith(RunFolder.open(run), network, taken);
  const wanted = weights[network];
  if (wanted === undefined || weightsDigest(state) === wanted) return state;
  throw new WeirError(
    `network '${network}' of ${run} has other weights than when this run took it over`,
    'put that run back, or attack it again as it is',
  );
}
