import { type FileHandle, open } from 'node:fs/promises';
import { isRecord } from '../flow/data.js';
import { metricReviver } from '../storage/metric-reader.js';
import { type Attacked, type CurveKey, type LogNews, type Newest, ThinnedCurve } from './curves.js';

const longest = 2 ** 24; // bytes; a longer line is not one of ours

/** Cuts bytes that come piece by piece into lines. Bound: a line that is not whole yet; one that grows too long is left out. */
export class Lines {
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
const most = { curves: 400, attacks: 5000 };
const counters = new Set([
  'number',
  'position',
  'epoch',
  'endsEpoch',
  'index',
  'label',
  'predicted',
  'seed',
  'queries',
  'total',
  'updatesInEpoch',
]);
const ofUpdates = new Set(['loss', 'epochLoss', 'epochAccuracy', 'rate']);

/**
 * Follows a metric log as it grows: every number in it becomes part of a thinned curve over updates, every attacked sample a
 * line of a list.
 *
 * Reads what is new, never twice, in slices of 1 MiB; a log that was cut back (a resumed run) is read anew. A line that is no
 * record is passed by: the report names it. Bound: 400 curves, 5,000 attacked samples, the line that is being written.
 */
export class LogFollower {
  private curves = new Map<string, { readonly key: CurveKey; readonly curve: ThinnedCurve }>();
  private attacks: Attacked[] = [];
  private told = 0;
  private at = 0;
  private lines = new Lines();
  private busy: Promise<boolean> | undefined;
  /** Bytes of the file when it was last looked at. */
  size = 0;
  /** Raised when the log was read anew. */
  epoch = 0;
  /** Points of curves beyond the most that are kept. */
  omitted = 0;

  constructor(private readonly file: string) {}

  /** Bytes read so far. */
  get read(): number {
    return this.at;
  }

  /** Attacked samples that `news` has given. */
  get attacksTold(): number {
    return this.told;
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
      attacks: this.attacks,
    };
  }

  get newest(): readonly Newest[] {
    return [...this.curves.values()].map(({ key, curve }) => ({ ...key, value: curve.last![3] }));
  }

  /** What came since the last call. */
  news(): LogNews {
    const curves = [...this.curves.values()].flatMap(({ key, curve }) => {
      const changes = curve.changes();
      if (changes === undefined) return [];
      const { from, ...rest } = changes;
      return [{ ...key, from, curve: rest }];
    });
    const attacks = this.attacks.slice(this.told);
    this.told = this.attacks.length;
    return { curves, attacks };
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
    this.attacks = [];
    this.told = this.at = this.omitted = 0;
    this.lines = new Lines();
    this.epoch++;
  }

  private line(text: string): void {
    let record: Record<string, unknown>;
    try {
      record = JSON.parse(text, metricReviver) as Record<string, unknown>;
    } catch {
      return;
    }
    if (typeof record !== 'object' || record === null) return;
    const network = String(record.network ?? '');
    const stream = String(record.stream ?? '');
    if (record.outcome !== undefined) this.attacked(network, stream, record);
    else if (typeof record.number === 'number' && record.number >= 0)
      this.measured(network, stream, record, record.number);
  }

  private measured(network: string, stream: string, record: Record<string, unknown>, update: number): void {
    // Before the first update nothing was measured; after it, what another stream let pass is known already.
    const passed = 'epochLoss' in record && (stream !== 'updates' || update === 0);
    for (const [field, value] of Object.entries(record)) {
      if (counters.has(field) || (passed && ofUpdates.has(field))) continue;
      if (typeof value === 'number') this.point({ network, stream, field }, update, value);
      else if (field !== 'wall' && isRecord(value)) {
        for (const [part, one] of Object.entries(value)) {
          if (typeof one === 'number') this.point({ network, stream, field: `${field}.${part}` }, update, one);
        }
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

  private attacked(network: string, stream: string, record: Record<string, unknown>): void {
    if (this.attacks.length >= most.attacks) return;
    const { number: update, index, outcome, distance, lower } = record;
    this.attacks.push({
      ...{ network, stream, number: Number(update ?? 0) },
      index: Number(index),
      outcome: String(outcome),
      distance: number(distance),
      lower: number(lower),
    });
  }
}

const number = (value: unknown): number | null => (typeof value === 'number' && !Number.isNaN(value) ? value : null);
