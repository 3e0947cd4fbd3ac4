import { decoded } from '../storage/journal.js';
import type { MetricRecord } from '../storage/metrics-log.js';
import type { Fields } from '../storage/protobuf.js';
import { attackPicture } from './attack-picture.js';
import { flattened } from './flattened.js';
import { type Hparams, sessionEnd, sessionStart } from './hparams.js';
import { histogram, scalar } from './summary.js';
import type { EventFile } from './tensorboard-event-file.js';

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
    const values: Fields[] = [];
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

  private picture({ stream, index, label, adversarialLabel, original, adversarial }: MetricRecord): Fields | undefined {
    const [from, to] = [original, adversarial].map((array) => decoded(array as Parameters<typeof decoded>[0]));
    if (from === undefined || to === undefined) return undefined;
    return attackPicture(`${stream}/sample ${index}, ${label} as ${adversarialLabel}`, from, to, this.shape);
  }
}
