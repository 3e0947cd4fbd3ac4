import type { Flow } from '../flow/flow.js';
import { FlowMeter } from '../flow/meter.js';
import type { StreamRecord } from '../storage/metric-reader.js';
import {
  descriptionOf,
  type FieldDescription,
  type RecordDescription,
  type RecordDescriptions,
  readingsOf,
  testLabel,
  totalOf,
} from '../storage/record.js';
import type { RunFolder } from '../storage/run-folder.js';
import { WaitMeter, waitsText } from './consensus.js';
import type { Network, Pipeline } from './pipeline.js';
import { type Headline, type ProgressView, type Terminal, terminalFor } from './progress.js';
import type { Watch } from './watch.js';

const pause = 100; // milliseconds between two looks

/** The measurement whose samples come, on one update's weights. */
interface Sampling {
  readonly stream: string;
  readonly number: unknown;
  readonly network: unknown;
  readonly description: RecordDescription;
  readonly began: number;
  done: number;
  /** Records of the network under measurement. */
  own: number;
  /** Finite values of its headline, of the network under measurement. */
  readonly values: number[];
}

const window = 2000; // milliseconds over which rates and the bottleneck are taken

/** Shows a run in the terminal: events go into one view, which is drawn at barriers. */
export class TerminalWatch implements Watch {
  private readonly terminal: Terminal = terminalFor(process.stderr);
  private flow: Flow | undefined;
  private view: ProgressView | undefined;
  private shown = 0;
  private began = { at: 0, update: 0 };
  private schemas: RecordDescriptions = {};
  private readonly headlines = new Map<string, Headline>();
  private sampling: Sampling | undefined;
  private members = 1;
  /** When the last record came. */
  private recorded = 0;
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
    this.schemas = this.folder.streams;
    this.headlines.clear();
    this.sampling = undefined;
    this.recorded = performance.now();
    this.members = network.members?.length ?? 1;
    this.meter = new FlowMeter(flow);
    this.waits = new WaitMeter();
    this.measured = performance.now();
    const { name, branch } = network;
    const branches = branch !== undefined && resumed !== undefined && this.folder.snapshots(name).list().length === 0;
    if (branches) this.terminal.note(`${name}: branches off ${branch.of} after epoch ${branch.epoch}`);
    else if (resumed !== undefined) this.terminal.note(`${name}: going on after update ${resumed}`);
    this.view = {
      pipeline: this.pipeline.name,
      network: { name, index: index + 1, of },
      phase: 'training',
      epoch: branches ? branch.epoch : resumed === undefined ? 0 : null,
      epochs: this.folder.started.networks?.find((one) => one.name === name)?.epochs ?? 0,
      update: resumed ?? 0,
      updates: 0,
      headlines: [],
      rate: null,
      secondsLeft: null,
      bottleneck: null,
      ranks: null,
    };
  }

  record(record: StreamRecord): void {
    if (this.view === undefined) return;
    const began = this.recorded;
    this.recorded = performance.now();
    const description = descriptionOf(this.schemas, record);
    if (description.total !== undefined) {
      this.sampled(record, description, began);
      return;
    }
    const { view } = this;
    const number = (field: string): number | null => (typeof record[field] === 'number' ? record[field] : null);
    const epoch = number('epoch') ?? view.epoch;
    const update = number('number') ?? view.update;
    const perEpoch = number('updatesInEpoch') ?? (record.endsEpoch && epoch ? update / epoch : null);
    this.takeHeadlines(record, description);
    const { measured: _, ...rest } = view;
    this.view = {
      ...(typeof record.endsEpoch === 'boolean' ? { ...rest, phase: 'training' } : view),
      epoch,
      update,
      updates: perEpoch === null ? view.updates : Math.round(perEpoch * view.epochs),
      headlines: [...this.headlines.values()],
    };
    if (typeof record.endsEpoch === 'boolean') this.sampling = undefined; // a measurement in the middle of the training is over
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

  /** The headlines of a record that is the only one of its update. */
  private takeHeadlines(record: StreamRecord, description: RecordDescription): void {
    for (const { field, part, value, about } of readingsOf(description, record)) {
      if (!about.headline || typeof value !== 'number') continue;
      const { unit } = about;
      const label = headlineLabel(String(record.stream), description, about);
      const key = `${record.stream} ${part === '' ? field : field.slice(0, -part.length - 1)}`;
      const before = this.headlines.get(key)?.value;
      const known = typeof before === 'object' ? before : {};
      this.headlines.set(key, {
        label,
        ...(unit && { unit }),
        value: part === '' ? value : { ...known, [part]: value },
      });
    }
  }

  /** One of many records of an update: they are counted, and the mean of their headline is over those of one network. */
  private sampled(record: StreamRecord, description: RecordDescription, began: number): void {
    const { number, network } = record;
    const stream = String(record.stream);
    let { sampling } = this;
    if (sampling?.stream !== stream || sampling.number !== number) {
      sampling = { stream, number, network, description, began, done: 0, own: 0, values: [] };
    } else if (sampling.network !== network) sampling = { ...sampling, network, own: 0, values: [] };
    this.sampling = sampling;
    sampling.done++;
    sampling.own++;
    const reading = [...readingsOf(description, record)].find(
      ({ about, part, value }) => (about.headline === true || about.headline === part) && Number.isFinite(value),
    );
    if (reading !== undefined) sampling.values.push(reading.value as number);
    const { values, done, own } = sampling;
    const mean = values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length;
    const [headline] = Object.values(description.fields).filter((field) => field.headline);
    const { unit } = headline ?? {};
    const named = typeof headline?.headline === 'string' ? ` ${headline.headline}` : '';
    this.view = {
      ...this.view!,
      phase: description.name,
      measured: {
        done,
        of: Math.max(done, (totalOf(description, record) ?? 0) * this.members),
        mean: headline ? { label: `mean ${headline.label}${named}`, ...(unit && { unit }), value: mean } : null,
        ...(values.length < own && values.length > 0 && { over: `${values.length} of ${own}` }),
      },
    };
  }

  /** Rate and bottleneck since the last look. */
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
    const { epochs, updates, update, measured } = this.view!;
    if (measured !== undefined && this.sampling !== undefined) {
      const since = (now - this.sampling.began) / 1000;
      return since > 1 ? (since / measured.done) * (measured.of - measured.done) : null;
    }
    const done = update - this.began.update;
    if (epochs === 0 || updates === 0 || done === 0) return null;
    return ((now - this.began.at) / 1000 / done) * (updates - update);
  }
}

/** The label of a headline beside those of other streams: 'test accuracy'. */
function headlineLabel(stream: string, { role }: RecordDescription, { label }: FieldDescription): string {
  if (role === 'test') return testLabel(stream, label);
  const plain = role === 'training' || role === 'spectrum' || role === 'measurement' || label.includes(role);
  return plain ? label : `${role} ${label}`;
}
