import { type FileHandle, open } from 'node:fs/promises';
import { type MetricRecord, metricReviver } from '../storage/metric-reader.js';
import { descriptionOf, fieldOf, type Reading, type RecordDescriptions, readingsOf } from '../storage/record.js';
import { type CurveKey, type LogNews, type NewestValue, type SampleRecord, ThinnedCurve } from './curves.js';
import type { SampledField } from './exposition.js';

const longest = 2 ** 24; // bytes; a longer line is not one of ours

/** Cuts bytes that come piece by piece into lines. Bound: a line that is not whole yet; one that grows too long is left out. */
class LineBuffer {
  private rest: Buffer = Buffer.alloc(0);

  /** The lines that are whole now. */
  *add(bytes: Buffer): Generator<string> {
    const all = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    let start = 0;
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10, start)) {
      yield all.toString('utf8', start, end);
      start = end + 1;
    }
    this.rest = all.length - start > longest ? Buffer.alloc(0) : Buffer.from(all.subarray(start));
  }
}

const chunk = 2 ** 20; // bytes read at once, between two of which the server answers others
const most = { curves: 400, samples: 5000 };

/**
 * Follows a metric log as it grows, by the schemas of its streams: every number that one update has becomes part of a thinned curve,
 * every one of many records of an update a line of a list.
 *
 * Reads what is new, never twice, in slices of 1 MiB; a log that was cut back (a resumed run) is read anew. A line that is no
 * record is passed by: the report names it. Bound: 400 curves, 5,000 samples, the line that is being written.
 */
export class LogFollower {
  private curves = new Map<string, { readonly key: CurveKey; readonly curve: ThinnedCurve }>();
  private samples: SampleRecord[] = [];
  private streams: RecordDescriptions = {};
  private handedOut = 0;
  private at = 0;
  private lines = new LineBuffer();
  private busy: Promise<boolean> | undefined;
  /** Bytes of the file when it was last looked at. */
  size = 0;
  /** Raised when the log was read anew. */
  epoch = 0;
  /** Points of curves beyond the most that are kept. */
  omitted = 0;

  /** @param schemas reads those of the run's streams: a stream has its schema before its first record */
  constructor(
    private readonly file: string,
    private readonly schemas: () => RecordDescriptions,
  ) {}

  /** Bytes read so far. */
  get read(): number {
    return this.at;
  }

  /** Samples that `news` has given. */
  get samplesHandedOut(): number {
    return this.handedOut;
  }

  /** Reads what is new. @returns whether there was any */
  follow(): Promise<boolean> {
    this.busy ??= this.take().finally(() => {
      this.busy = undefined;
    });
    return this.busy;
  }

  get whole(): LogNews {
    return {
      curves: [...this.curves.values()].map(({ key, curve }) => ({ ...key, from: 0, curve: curve.curve })),
      samples: this.samples,
      sampled: this.sampled,
    };
  }

  get newest(): readonly NewestValue[] {
    return [...this.curves.values()].map(({ key, curve }) => ({ ...key, value: curve.last![3] }));
  }

  /** Of the samples of each stream those of the newest update, field by field. */
  get newestSamples(): readonly SampledField[] {
    const newest = new Map<string, SampleRecord[]>();
    for (const one of this.samples) {
      const key = `${one.network}\n${one.stream}`;
      const known = newest.get(key);
      if (known?.[0]?.number === one.number) known.push(one);
      else newest.set(key, [one]);
    }
    return [...newest.values()].flatMap((records) => {
      const { network, stream } = records[0]!;
      const fields = [...new Set(records.flatMap(({ values }) => Object.keys(values)))];
      return fields.map((field) => ({
        network,
        stream,
        field,
        about: fieldOf(descriptionOf(this.streams, { stream }), field.split('.')[0]!)!,
        values: records.flatMap(({ values }) => values[field] ?? []),
      }));
    });
  }

  /** What came since the last call. */
  news(): LogNews {
    const curves = [...this.curves.values()].flatMap(({ key, curve }) => {
      const changes = curve.changes();
      if (changes === undefined) return [];
      const { from, ...rest } = changes;
      return [{ ...key, from, curve: rest }];
    });
    const samples = this.samples.slice(this.handedOut);
    this.handedOut = this.samples.length;
    return { curves, samples, sampled: this.sampled };
  }

  private get sampled(): RecordDescriptions {
    return Object.fromEntries(Object.entries(this.streams).filter(([, { total }]) => total !== undefined));
  }

  private async take(): Promise<boolean> {
    let handle: FileHandle;
    try {
      handle = await open(this.file, 'r');
    } catch {
      return false; // nothing logged yet
    }
    try {
      this.size = (await handle.stat()).size;
      if (this.size < this.at) this.anew();
      if (this.size > this.at) this.streams = this.schemas();
      const buffer = Buffer.allocUnsafe(Math.min(chunk, Math.max(1, this.size - this.at)));
      const before = this.at;
      while (this.at < this.size) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.at);
        if (bytesRead === 0) break;
        this.at += bytesRead;
        for (const text of this.lines.add(buffer.subarray(0, bytesRead))) this.line(text);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return this.at > before;
    } finally {
      await handle.close();
    }
  }

  private anew(): void {
    this.curves = new Map();
    this.samples = [];
    this.handedOut = this.at = this.omitted = 0;
    this.lines = new LineBuffer();
    this.epoch++;
  }

  private line(text: string): void {
    let record: MetricRecord;
    try {
      record = JSON.parse(text, metricReviver) as MetricRecord;
    } catch {
      return;
    }
    if (typeof record !== 'object' || record === null) return;
    const { number } = record;
    if (typeof number !== 'number' || number < 0) return;
    const description = descriptionOf(this.streams, record);
    const of = { network: String(record.network ?? ''), stream: String(record.stream ?? '') };
    const readings = readingsOf(description, record);
    if (description.total !== undefined) this.sample({ ...of, number }, readings);
    else {
      for (const { value, ...reading } of readings) {
        if (reading.about.over === 'epoch' && record.endsEpoch === false) continue; // a saw of means that begin anew
        if (typeof value === 'number') this.point({ ...of, role: description.role, ...reading }, number, value);
      }
    }
  }

  private point(key: CurveKey, x: number, y: number): void {
    const name = `${key.network}\n${key.stream}\n${key.field}`;
    let known = this.curves.get(name);
    if (known === undefined) {
      if (this.curves.size >= most.curves) {
        this.omitted++;
        return;
      }
      known = { key, curve: new ThinnedCurve() };
      this.curves.set(name, known);
    }
    known.curve.add(x, y);
  }

  private sample(of: Omit<SampleRecord, 'values'>, readings: Iterable<Reading>): void {
    if (this.samples.length >= most.samples) return;
    const values = [...readings].map(({ field, value }) => [field, Number.isNaN(value) ? null : value] as const);
    this.samples.push({ ...of, values: Object.fromEntries(values) });
  }
}
