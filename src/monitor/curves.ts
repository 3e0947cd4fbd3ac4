import type { Reading, RecordDescriptions, Role } from '../storage/record.js';

/** A stretch of a curve: the least, the largest and the last of the values in it, and where that last one was. */
export type Bucket = readonly [at: number, least: number, largest: number, last: number];

/** A curve as a viewer gets it; a bucket covers `width` of x. */
export interface Curve {
  readonly width: number;
  readonly buckets: readonly Bucket[];
}

/**
 * A curve of any length in a bounded number of buckets that keep its least and largest values: no peak is thinned away. NaN is neither;
 * it is the last value where it came last.
 *
 * Points come in order of x, whole numbers from 0 on. Bound: `most` buckets; when they are used up, each two become one.
 */
export class ThinnedCurve {
  private width = 1;
  private buckets: { index: number; bucket: Bucket }[] = [];
  private changed = 0; // buckets from here on are new to the viewers

  constructor(private readonly most = 600) {}

  add(x: number, y: number): void {
    const index = Math.floor(x / this.width);
    const last = this.buckets.at(-1);
    if (last !== undefined && index <= last.index) {
      const [, least, largest] = last.bucket;
      last.bucket = [x, ...range([least, largest], [y, y]), y];
      this.changed = Math.min(this.changed, this.buckets.length - 1);
      return;
    }
    this.changed = Math.min(this.changed, this.buckets.length);
    this.buckets.push({ index, bucket: [x, y, y, y] });
    if (this.buckets.length > this.most) this.halve();
  }

  get curve(): Curve {
    return { width: this.width, buckets: this.buckets.map(({ bucket }) => bucket) };
  }

  get last(): Bucket | undefined {
    return this.buckets.at(-1)?.bucket;
  }

  /** What changed since the last call: the buckets from `from` on, in the place of those that a viewer has there. */
  changes(): (Curve & { readonly from: number }) | undefined {
    const from = this.changed;
    if (from >= this.buckets.length) return undefined;
    this.changed = this.buckets.length;
    return { width: this.width, from, buckets: this.buckets.slice(from).map(({ bucket }) => bucket) };
  }

  private halve(): void {
    this.width *= 2;
    const joined: { index: number; bucket: Bucket }[] = [];
    for (const { index, bucket } of this.buckets) {
      const half = index >> 1;
      const before = joined.at(-1);
      if (before?.index !== half) joined.push({ index: half, bucket });
      else {
        const [, least, largest] = before.bucket;
        before.bucket = [bucket[0], ...range([least, largest], [bucket[1], bucket[2]]), bucket[3]];
      }
    }
    this.buckets = joined;
    this.changed = 0;
    if (joined.length > this.most) this.halve();
  }
}

type Range = readonly [least: number, largest: number];

/** Both ranges together; one of NaN is none. */
const range = (a: Range, b: Range): Range => {
  if (Number.isNaN(a[0])) return b;
  return Number.isNaN(b[0]) ? a : [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
};

/** One of many records of an update: a sample, by what is to be drawn of it; null stands for NaN. */
export interface SampleRecord {
  readonly network: string;
  readonly stream: string;
  /** Updates of the weights that it was measured on. */
  readonly number: number;
  readonly values: Readonly<Record<string, number | string | null>>;
}

/** What a curve is of. */
export interface CurveKey extends Omit<Reading, 'value'> {
  readonly network: string;
  readonly stream: string;
  readonly role: Role;
}

export type NamedCurve = CurveKey & { readonly curve: Curve; readonly from: number };

/** A curve's newest value. */
export type NewestValue = CurveKey & { readonly value: number };

/** What was added to a log, or all of it. */
export interface LogNews {
  readonly curves: readonly NamedCurve[];
  readonly samples: readonly SampleRecord[];
  /** The schemas of the streams that the samples are of. */
  readonly sampled: RecordDescriptions;
}
