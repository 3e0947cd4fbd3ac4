import type { Flow } from '../flow/flow.js';
import { FlowMeter } from '../flow/meter.js';
import type { MetricRecord } from '../storage/journal.js';
import type { RunFolder } from '../storage/run-folder.js';
import { WaitMeter, waitsText } from './consensus.js';
import type { Network, Pipeline } from './pipeline.js';
import { type ProgressView, type Terminal, terminalFor } from './progress.js';
import type { Watch } from './watch.js';

const pause = 100; // milliseconds between two looks
const attackStage = 'tangent attack';
/** The attack whose results come. */
interface Attack {
  readonly stream: unknown;
  readonly number: unknown;
  readonly network: unknown;
  done: number;
  readonly distances: number[];
}

const window = 2000; // milliseconds over which rates and the bottleneck are taken

/** Follows a run and shows it in the terminal: what it is told goes into one view, drawn when the run is at rest. */
export class Watcher implements Watch {
  private readonly terminal: Terminal = terminalFor(process.stderr);
  private flow: Flow | undefined;
  private view: ProgressView | undefined;
  private shown = 0;
  private began = { at: 0, update: 0 };
  private attackBegan = 0;
  private attack: Attack | undefined;
  private members = 1;
  private saved: { readonly update: number; readonly at: number } | undefined;
  private meter: FlowMeter | undefined;
  private measured = 0;
  private waits = new WaitMeter();

  constructor(
    private readonly folder: RunFolder,
    private readonly pipeline: Pipeline,
  ) {}

  network(network: Network, index: number, of: number, flow: Flow, resumed: number | undefined): void {
    this.flow = flow;
    this.began = { at: performance.now(), update: resumed ?? 0 };
    this.attackBegan = 0;
    this.attack = undefined;
    this.members = network.members?.length ?? 1;
    this.meter = new FlowMeter(flow);
    this.waits = new WaitMeter();
    this.measured = performance.now();
    const { name, branch } = network;
    const branches = branch !== undefined && this.folder.snapshots(name).list().length === 0;
    if (branches) this.terminal.note(`${name}: branches off ${branch.of} after epoch ${branch.epoch}`);
    else if (resumed !== undefined) this.terminal.note(`${name}: going on after update ${resumed}`);
    this.view = {
      pipeline: this.pipeline.name,
      network: { name, index: index + 1, of },
      phase: 'training',
      epoch: branches ? branch.epoch : resumed === undefined ? 0 : null,
      epochs: Number(network.epochs ?? this.folder.started.config.epochs ?? 0),
      update: resumed ?? 0,
      updates: 0,
      loss: null,
      testAccuracy: null,
      sigma: {},
      rate: null,
      secondsLeft: null,
      bottleneck: null,
      ranks: null,
    };
  }

  record(record: MetricRecord): void {
    if (this.view === undefined) return;
    if (typeof record.endsEpoch === 'boolean' && this.attack !== undefined) this.trainsAgain();
    const { view } = this;
    const number = (field: string): number | null =>
      typeof record[field] === 'number' ? (record[field] as number) : null;
    const epoch = number('epoch') ?? view.epoch;
    const update = number('number') ?? view.update;
    this.view = {
      ...view,
      epoch,
      update,
      updates: number('updatesInEpoch')
        ? number('updatesInEpoch')! * view.epochs
        : record.endsEpoch && epoch
          ? Math.round((update / epoch) * view.epochs)
          : view.updates,
      loss: record.stream === 'updates' ? (number('epochLoss') ?? view.loss) : view.loss,
      testAccuracy: number('accuracy') ?? view.testAccuracy,
      sigma: (record.sigma as Record<string, number> | undefined) ?? view.sigma,
    };
    if (record.outcome !== undefined) this.attacked(record);
  }

  snapshot(_path: string, update: number): void {
    this.saved = { update, at: performance.now() };
  }

  warn(message: string): void {
    this.terminal.note(message);
  }

  held(now: boolean): void {
    if (now) this.terminal.note('held at a barrier; it goes on from the monitor, and Ctrl-C stops it');
    else if (this.flow?.barrier.stopping !== true) this.terminal.note('going on');
  }

  barrier(waited: readonly number[]): void {
    const now = performance.now();
    if (this.view === undefined || now - this.shown < pause) return;
    if (now - this.measured > window) this.measure(now, waited);
    if (this.attackBegan === 0 && this.flow?.nodes.some((node) => node.name === attackStage && node.itemsIn > 0)) {
      this.attackBegan = now;
      this.view = { ...this.view, phase: 'attack' }; // how many samples it takes its first result says
    }
    this.show(now);
  }

  /** Leaves the last view standing. */
  close(): void {
    if (this.view !== undefined) this.show(performance.now());
    this.view = undefined;
    this.terminal.end();
  }

  private show(now: number): void {
    this.shown = now;
    this.terminal.show({
      ...this.view!,
      ...(this.saved && { snapshot: { update: this.saved.update, secondsAgo: (now - this.saved.at) / 1000 } }),
      secondsLeft: this.secondsLeft(now),
    });
  }

  /** An attack in the middle of the training is over. */
  private trainsAgain(): void {
    const { attacked: _, ...view } = this.view!;
    this.view = { ...view, phase: 'training' };
    this.attack = undefined;
    this.attackBegan = 0;
  }

  /** Results of one stream on one update's weights are an attack; the mean is over those of one network. */
  private attacked(record: MetricRecord): void {
    const { stream, number, network, total, distance } = record;
    if (this.attack?.stream !== stream || this.attack.number !== number) {
      const lasts = this.attack !== undefined; // another before it
      this.attack = { stream, number, network, done: 0, distances: [] };
      if (lasts || this.attackBegan === 0) this.attackBegan = performance.now();
    }
    if (this.attack.network !== network) this.attack = { ...this.attack, network, distances: [] };
    this.attack.done++;
    if (typeof distance === 'number' && Number.isFinite(distance)) this.attack.distances.push(distance);
    const { distances, done } = this.attack;
    const mean = distances.reduce((sum, one) => sum + one, 0) / distances.length;
    const of = Math.max(done, typeof total === 'number' ? total * this.members : 0);
    this.view = {
      ...this.view!,
      phase: 'attack',
      attacked: { done, of, meanDistance: distances.length > 0 ? mean : null },
    };
  }

  /** Rate and bottleneck of the last moments. */
  private measure(now: number, waited: readonly number[]): void {
    this.measured = now;
    const { samples, bottleneck } = this.meter!.read();
    this.view = {
      ...this.view!,
      rate: samples > 0 ? { value: samples, unit: 'samples/s' } : null,
      bottleneck: bottleneck && `${bottleneck.name} (${bottleneck.why})`,
      ranks: waitsText(this.waits.read(waited)),
    };
  }

  /** Of the present phase, going by its pace so far. */
  private secondsLeft(now: number): number | null {
    const { epochs, updates, update, phase, attacked } = this.view!;
    if (phase === 'attack' && attacked !== undefined) {
      if (attacked.done === 0) return null;
      const since = (now - this.attackBegan) / 1000;
      return since > 1 ? (since / attacked.done) * (attacked.of - attacked.done) : null;
    }
    const done = update - this.began.update;
    if (epochs === 0 || updates === 0 || done === 0) return null;
    return ((now - this.began.at) / 1000 / done) * (updates - update);
  }
}
