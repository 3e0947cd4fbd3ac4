import { join } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { brightness, imageShape, largest, perturbationPixels, pixels, png } from '../plot/image.js';
import { floatsOf } from '../storage/log-stage.js';
import type { MetricRecord } from '../storage/metric-reader.js';
import type { ProtobufFields } from '../storage/protobuf.js';
import {
  descriptionOf,
  type FieldDescription,
  numbersOf,
  type RecordDescription,
  type RecordDescriptions,
} from '../storage/record.js';
import type { RunConfig } from '../storage/run-folder.js';
import { makeFolder } from '../surroundings/folders.js';
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
import { flattened } from './table.js';

const GAP = 1; // pixels between two pictures

/**
 * A sample, what the attack added to it (red raises, blue lowers, the strongest color is the largest change), and their sum, side by
 * side, as an image under `tag`; undefined for samples that are no pictures.
 */
function attackPicture(
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

/** The events of one network: what its records become. */
class NetworkEvents {
  hparams: Hparams;
  /** Tags of headlines, whose last values a table of networks shows. */
  readonly metrics = new Set<string>();
  /** Of what is measured sample by sample: the values at one update, by tag. */
  private readonly samples = new Map<string, { about: FieldDescription; values: (number | string)[] }>();
  private update = 0;
  private time: number;
  private shape: readonly number[] = [];
  private begun = false;

  constructor(
    private readonly name: string,
    private readonly streams: RecordDescriptions,
    private readonly events: EventFile,
    private readonly start: number,
    config: Hparams,
  ) {
    this.hparams = { ...config };
    this.time = start;
  }

  add(record: MetricRecord): void {
    const seconds = record.wall?.seconds;
    if (typeof seconds === 'number') this.time = this.start + seconds;
    const description = descriptionOf(this.streams, record);
    this.begin(record, description);
    if (description.role === 'network') return;
    const number = typeof record.number === 'number' ? Math.max(0, Math.trunc(record.number)) : this.update;
    if (number !== this.update) this.flush();
    this.update = number;
    const values: ProtobufFields[] = [];
    for (const { field, value, about } of numbersOf(description, record)) {
      const tag = `${record.stream}/${field}`;
      if (description.total !== undefined) this.keep(tag, about, value);
      else if (typeof value === 'number') {
        values.push(scalar(tag, value));
        if (about.headline) this.metrics.add(tag);
      }
    }
    const picture = this.picture(record);
    if (picture) values.push(picture);
    if (values.length > 0) this.events.append(this.time, number, values);
  }

  end(done: boolean): void {
    this.flush();
    this.events.append(this.time, this.update, [sessionEnd(this.time, done)]);
  }

  /** The first record says what network it is; a log that was cut begins with another. */
  private begin(record: MetricRecord, { role }: RecordDescription): void {
    if (this.begun) return;
    this.begun = true;
    if (role === 'network') {
      const { network: _, stream: __, name: ___, sampleShape, classes: ____, wall: _____, ...own } = record;
      if (Array.isArray(sampleShape)) this.shape = sampleShape.map(Number);
      const known = [...flattened(own)].filter(([, value]) => ['number', 'string', 'boolean'].includes(typeof value));
      this.hparams = { ...this.hparams, ...(Object.fromEntries(known) as Hparams) };
    }
    this.events.append(this.time, 0, [sessionStart(this.name, this.time, this.hparams)]);
  }

  private keep(tag: string, about: FieldDescription, value: number | string): void {
    const known = this.samples.get(tag);
    if (known === undefined) this.samples.set(tag, { about, values: [value] });
    else known.values.push(value);
  }

  /** Writes what was measured of the samples of one update, when the next begins. */
  private flush(): void {
    const values = [...this.samples].flatMap(([tag, { about, values }]) => {
      if (about.type === 'text') {
        const count = (word: unknown): number => values.filter((value) => value === word).length;
        return [...new Set(values)].map((word) => scalar(`${tag} (${word})`, count(word)));
      }
      const finite = values.filter((value): value is number => Number.isFinite(value));
      const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length; // NaN where there is none
      const others = values.length - finite.length;
      if (about.headline) this.metrics.add(`${tag} (mean)`);
      return [
        ...(finite.length > 0 ? [histogram(tag, finite)] : []),
        scalar(`${tag} (mean)`, mean),
        ...(others > 0 ? [scalar(`${tag} (not finite)`, others)] : []),
      ];
    });
    if (values.length > 0) this.events.append(this.time, this.update, values);
    this.samples.clear();
  }

  /** An attack logs the first samples as arrays: `original` and `adversarial`. */
  private picture(record: MetricRecord): ProtobufFields | undefined {
    const { stream, index, label, adversarialLabel, original, adversarial } = record;
    const [from, to] = [original, adversarial].map((array) => floatsOf(array as Parameters<typeof floatsOf>[0]));
    if (from === undefined || to === undefined) return undefined;
    return attackPicture(`${stream}/sample ${index}, ${label} as ${adversarialLabel}`, from, to, this.shape);
  }
}

interface LoggedRun {
  readonly started: Pick<RunConfig, 'pipeline' | 'config' | 'createdAt'>;
  readonly streams: RecordDescriptions;
}

export interface Exported {
  readonly networks: number;
  readonly records: number;
}

/**
 * A run's metric log as event files of TensorBoard, a folder a network:
 *
 * - scalars: every number by update (`updates/loss`, `sigmas/bounds.hidden1`), but those that say which sample or class a record is of;
 * - histograms: what was measured sample by sample (`attacks/distance`, `attacks/queries`), and its mean as a scalar; both are
 *   over finite numbers, and where there are others a scalar says how many (`attacks/distance (not finite)`). Of words a scalar says
 *   how many samples have each (`attacks/outcome (found)`);
 * - images: the attacks whose pictures the log has, original, perturbation and adversarial sample side by side;
 * - hyperparameters: the run's config, seed and regularizer, with the last values of the headlines.
 *
 * Reads the log once. Bound: of what is measured by samples the numbers are kept, of all else the last.
 *
 * @param done whether the run is through
 */
export function exportTensorBoard(
  folder: string,
  { started, streams }: LoggedRun,
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
        events = new NetworkEvents(network, streams, file(asFolder(network)), begun, config);
        networks.set(network, events);
      }
      events.add(record);
      count++;
    }
    const all = [...networks.values()];
    for (const events of all) events.end(done);
    const hparams = Object.assign({}, ...all.map((events) => events.hparams)) as Hparams;
    const metrics = [...new Set(all.flatMap((events) => [...events.metrics]))].sort();
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
