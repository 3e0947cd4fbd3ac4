import { join } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { brightness, imageShape, largest, perturbationPixels, pixels, png } from '../plot/image.js';
import { makeFolder } from '../storage/folders.js';
import { floatsOf } from '../storage/log-stage.js';
import type { MetricRecord } from '../storage/metric-reader.js';
import type { ProtobufFields } from '../storage/protobuf.js';
import type { RunConfig } from '../storage/run-folder.js';
import { flattened } from './columns.js';
import {
  EventFile,
  experiment,
  type Hparams,
  histogram,
  image,
  scalar,
  sessionEnd,
  sessionStart,
} from './event-file.js';

const GAP = 1; // pixels between two pictures

/**
 * A sample, what the attack added to it (red raises, blue lowers, the strongest color is the largest change), and their sum, side by
 * side, as an image under `tag`; undefined for samples that are no pictures.
 */
export function attackPicture(
  tag: string,
  original: Float32Array,
  adversarial: Float32Array,
  shape: readonly number[],
): ProtobufFields | undefined {
  const size = imageShape(shape);
  if (size === null) return undefined;
  const [height, width, channels] = size;
  if (original.length !== height * width * channels || adversarial.length !== original.length) return undefined;
  const range = brightness(original);
  const delta = adversarial.map((value, i) => value - original[i]!);
  const pictures = [
    pixels(original, shape, range),
    perturbationPixels(delta, shape, largest(delta, channels)),
    pixels(adversarial, shape, range),
  ];
  const whole = 3 * width + 2 * GAP;
  const all = new Uint8Array(3 * height * whole).fill(255);
  for (const [i, one] of pictures.entries()) {
    for (let y = 0; y < height; y++) {
      all.set(one.subarray(3 * width * y, 3 * width * (y + 1)), 3 * (whole * y + i * (width + GAP)));
    }
  }
  return image(tag, whole, height, png(whole, height, all));
}

/** What says when or of what a record is, and is no measurement. */
const places = new Set([
  'position',
  'number',
  'epoch',
  'index',
  'label',
  'predicted',
  'adversarialLabel',
  'total',
  'updatesInEpoch',
]);

/** Of scalars the last of which a table of networks shows. */
const final = /\/(epochLoss|loss|epochAccuracy|accuracy|.* \(mean\))$/;

/** The events of one network: what its records become. */
export class NetworkEvents {
  hparams: Hparams;
  private readonly tags = new Set<string>();
  /** Of what is measured sample by sample: the numbers of one moment, by tag. */
  private readonly samples = new Map<string, number[]>();
  private moment = 0;
  private time: number;
  private shape: readonly number[] = [];
  private begun = false;

  constructor(
    private readonly name: string,
    private readonly events: EventFile,
    private readonly start: number,
    config: Hparams,
  ) {
    this.hparams = { ...config };
    this.time = start;
  }

  /** Tags of the last values that a table of networks shows. */
  get metrics(): string[] {
    return [...this.tags].filter((tag) => final.test(tag) && !tag.startsWith('ticks/'));
  }

  add(record: MetricRecord): void {
    const seconds = record.wall?.seconds;
    if (typeof seconds === 'number') this.time = this.start + seconds;
    this.begin(record);
    if (record.stream === 'network') return;
    const number = typeof record.number === 'number' ? Math.max(0, Math.trunc(record.number)) : this.moment;
    if (number !== this.moment) this.flush();
    this.moment = number;
    const bySample = typeof record.index === 'number';
    const values: ProtobufFields[] = [];
    for (const [field, value] of flattened(record)) {
      if (typeof value !== 'number' || places.has(field) || /^(wall|box)\./.test(field)) continue;
      const tag = `${record.stream}/${field}`;
      if (bySample) this.keep(tag, value);
      else {
        values.push(scalar(tag, value));
        this.tags.add(tag);
      }
    }
    const picture = bySample && this.picture(record);
    if (picture) values.push(picture);
    if (values.length > 0) this.events.append(this.time, number, values);
  }

  end(done: boolean): void {
    this.flush();
    this.events.append(this.time, this.moment, [sessionEnd(this.time, done)]);
  }

  /** The first record says what network it is; a log that was cut begins with another. */
  private begin(record: MetricRecord): void {
    if (this.begun) return;
    this.begun = true;
    if (record.stream === 'network') {
      const { network: _, stream: __, name: ___, sampleShape, classes: ____, wall: _____, ...own } = record;
      if (Array.isArray(sampleShape)) this.shape = sampleShape.map(Number);
      const known = [...flattened(own)].filter(([, value]) => ['number', 'string', 'boolean'].includes(typeof value));
      this.hparams = { ...this.hparams, ...(Object.fromEntries(known) as Hparams) };
    }
    this.events.append(this.time, 0, [sessionStart(this.name, this.time, this.hparams)]);
  }

  private keep(tag: string, value: number): void {
    const known = this.samples.get(tag);
    if (known === undefined) this.samples.set(tag, [value]);
    else known.push(value);
  }

  /** What was measured of the samples of one moment is told when the next begins. */
  private flush(): void {
    const values = [...this.samples].flatMap(([tag, numbers]) => {
      const finite = numbers.filter(Number.isFinite);
      const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length; // NaN where there is none
      const odd = numbers.length - finite.length;
      this.tags.add(`${tag} (mean)`);
      return [
        ...(finite.length > 0 ? [histogram(tag, finite)] : []),
        scalar(`${tag} (mean)`, mean),
        ...(odd > 0 ? [scalar(`${tag} (not finite)`, odd)] : []),
      ];
    });
    if (values.length > 0) this.events.append(this.time, this.moment, values);
    this.samples.clear();
  }

  private picture({
    stream,
    index,
    label,
    adversarialLabel,
    original,
    adversarial,
  }: MetricRecord): ProtobufFields | undefined {
    const [from, to] = [original, adversarial].map((array) => floatsOf(array as Parameters<typeof floatsOf>[0]));
    if (from === undefined || to === undefined) return undefined;
    return attackPicture(`${stream}/sample ${index}, ${label} as ${adversarialLabel}`, from, to, this.shape);
  }
}

export interface Exported {
  readonly networks: number;
  readonly records: number;
}

/**
 * A run's metric log as event files of TensorBoard, a folder a network:
 *
 * - scalars: every number of a stream of moments, by update (`updates/loss`, `tests/accuracy`, `sigmas/sigma.hidden1`);
 * - histograms: what was measured sample by sample (`attacks/distance`, `certificates/lower.l2`), and its mean as a scalar; both are
 *   over finite numbers, and where there are others a scalar says how many (`attacks/distance (not finite)`);
 * - images: the attacks whose pictures the log has, original, perturbation and adversarial sample side by side;
 * - hyperparameters: the run's config, seed and regularizer, with the last accuracies, losses and mean distances.
 *
 * Reads the log once. Bound: of what is measured by samples the numbers are kept, of all else the last.
 *
 * @param done whether the run is through
 */
export function exportTensorBoard(
  folder: string,
  started: Pick<RunConfig, 'pipeline' | 'config' | 'createdAt'>,
  records: Iterable<MetricRecord>,
  done: boolean,
): Exported {
  const begun = Date.parse(started.createdAt) / 1000;
  const name = `events.out.tfevents.${Math.floor(begun)}.weir`; // the same for a run, so that it takes an earlier export's place
  const config = hparamsOf(started.config);
  const files: EventFile[] = [];
  const networks = new Map<string, NetworkEvents>();
  const file = (...inside: string[]): EventFile => {
    const own = join(folder, ...inside);
    try {
      makeFolder(own);
    } catch (cause) {
      throw new WeirError(`cannot make ${own}: ${(cause as Error).message}`, 'give a folder that can be written to', {
        cause,
      });
    }
    files.push(new EventFile(join(own, name), begun));
    return files.at(-1)!;
  };
  let count = 0;
  try {
    for (const record of records) {
      const network = String(record.network);
      let events = networks.get(network);
      if (events === undefined) {
        events = new NetworkEvents(network, file(asFolder(network)), begun, config);
        networks.set(network, events);
      }
      events.add(record);
      count++;
    }
    const all = [...networks.values()];
    for (const events of all) events.end(done);
    const hparams = Object.assign({}, ...all.map((events) => events.hparams)) as Hparams;
    const metrics = [...new Set(all.flatMap((events) => events.metrics))].sort();
    file().append(begun, 0, [experiment(started.pipeline, begun, hparams, metrics)]);
    for (const one of files) one.close();
  } catch (error) {
    for (const one of files) one.abandon();
    throw error;
  }
  return { networks: networks.size, records: count };
}

/** A config's values as TensorBoard takes them: a list as its words. */
function hparamsOf(config: Readonly<Record<string, unknown>>): Hparams {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => {
      if (value === null || value === undefined) return [];
      if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') return [[key, value]];
      return [[key, Array.isArray(value) ? value.join(',') : JSON.stringify(value)]];
    }),
  );
}

/** A name from a file may not lead out of the folder. */
const asFolder = (network: string): string => network.replace(/[^\p{L}\p{N} ._-]/gu, '-').replace(/^\.+/, '-') || '-';
