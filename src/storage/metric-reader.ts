import { isRecord } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { files } from '../surroundings/surroundings.js';
import { onDisk } from './disk.js';

/** A value of a record: NaN and the infinities too, though JSON has none. */
export type Metric = null | boolean | number | string | readonly Metric[] | { readonly [key: string]: Metric };

/**
 * One line of the metric log. All that depends on the clock lies under `wall` (times, rates), so that two runs of the
 * same seed differ in nothing else.
 */
export interface MetricRecord {
  readonly wall?: { readonly [key: string]: Metric };
  readonly [key: string]: Metric | undefined;
}

/** A record of a stream of a network, as a run logs it. */
export interface StreamRecord extends MetricRecord {
  readonly network: string;
  readonly stream: string;
}

const numbers: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/** A text that reads like such a number, or like one that was marked as a text. */
const alike = /^=*(NaN|-?Infinity)$/;

/**
 * For `JSON.stringify`: numbers that JSON lacks become their names, 'NaN', 'Infinity' and '-Infinity'; a text that is one of these (a class
 * may be called so) is marked with '='. The metric log and the report's JSON are written so.
 */
export const metricReplacer = (_key: string, value: unknown): unknown => {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return typeof value === 'string' && alike.test(value) ? `=${value}` : value;
};

/** For `JSON.parse`: gives back what `spelled` made. */
export const metricReviver = (_key: string, value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  if (Object.hasOwn(numbers, value)) return numbers[value];
  return alike.test(value) ? value.slice(1) : value;
};

const chunkBytes = 2 ** 16;
const lineLimit = 2 ** 24; // bytes; a longer one is not a line of ours

/**
 * The records of a metric log, read as they are asked for.
 *
 * A last line without its end is left out: it is being written, or was when the run was killed. Throws a `WeirError`
 * that names the line of one that is not a record. The texts 'NaN', 'Infinity' and '-Infinity' come back as numbers.
 *
 * @param most how many bytes are read, from the beginning; by default all
 */
export function* readMetrics(file: string, most = Number.POSITIVE_INFINITY): Generator<MetricRecord> {
  const handle = open(file);
  try {
    const lines = new Lines(file);
    const chunk = Buffer.alloc(chunkBytes);
    for (let at = 0; at < most; ) {
      const got = onDisk(`read the metric log ${file}`, () => files.readAt(handle, chunk.subarray(0, most - at), at));
      if (got === 0) return;
      at += got;
      yield* lines.recordsIn(chunk.subarray(0, got));
    }
  } finally {
    files.close(handle);
  }
}

/**
 * The records of a metric log that is being written, as they come.
 *
 * @param more resolves when there may be new ones, to false where what is there now is the last
 */
export async function* followMetrics(file: string, more: () => Promise<boolean>): AsyncGenerator<MetricRecord> {
  const handle = open(file);
  try {
    const lines = new Lines(file);
    const chunk = Buffer.alloc(chunkBytes);
    for (let [open, at] = [true, 0]; ; ) {
      const from = at;
      const got = onDisk(`read the metric log ${file}`, () => files.readAt(handle, chunk, from));
      at += got;
      if (got > 0) yield* lines.recordsIn(chunk.subarray(0, got));
      else if (open) open = await more();
      else return;
    }
  } finally {
    files.close(handle);
  }
}

/** Cuts a file into lines, as its chunks are read; an unfinished one waits for the next chunk. */
class Lines {
  private readonly text = new TextDecoder('utf-8', { fatal: true });
  private number = 0;
  private rest: Buffer = Buffer.alloc(0);

  constructor(private readonly file: string) {}

  *recordsIn(chunk: Buffer): Generator<MetricRecord> {
    let rest = Buffer.concat([this.rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a, start)) {
      const line = rest.subarray(start, end);
      yield parse(this.file, ++this.number, () => this.text.decode(line));
      start = end + 1;
    }
    rest = rest.subarray(start);
    if (rest.length > lineLimit) throw corrupt(this.file, this.number + 1, `it is longer than ${lineLimit} bytes`);
    this.rest = rest;
  }
}

function open(file: string): number {
  try {
    return files.open(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new WeirError(`cannot read the metric log ${file}: ${code}`, 'name the folder of a run', { cause });
  }
}

function parse(file: string, number: number, text: () => string): MetricRecord {
  let record: unknown;
  try {
    record = JSON.parse(text(), metricReviver);
  } catch (error) {
    throw corrupt(file, number, (error as Error).message);
  }
  if (!isRecord(record)) {
    throw corrupt(file, number, 'it is not an object');
  }
  return record as MetricRecord;
}

const corrupt = (file: string, number: number, what: string): WeirError =>
  new WeirError(
    `line ${number} of the metric log ${file} is not a record: ${what}`,
    'the file was altered: delete that line, or start the run again in a new folder',
  );
