import type { Data } from '../flow/data.js';
import { mean } from '../plot/statistics.js';
import { floatsOf } from '../storage/log-stage.js';
import { descriptionOf, type RecordDescription, type RecordDescriptions, testLabel } from '../storage/record.js';

/** A line of the metric log. */
export type LogLine = { readonly [field: string]: Data };

/** The number in a field; null where there is none. */
export const numberIn = (line: LogLine, field: string): number | null =>
  typeof line[field] === 'number' ? (line[field] as number) : null;

/** The array in a field; empty where it was not kept. */
export const arrayIn = (line: LogLine, field: string): Float32Array => floatsOf(line[field]) ?? new Float32Array(0);

/** The number of the newest update that lines are of; null where they do not say. */
export const newest = (lines: readonly LogLine[]): number | null =>
  lines.reduce<number | null>((most, line) => {
    const own = numberIn(line, 'number');
    return own === null || (most !== null && most > own) ? most : own;
  }, null);

/** The lines of the newest update: weights of earlier ones are another network. */
export function newestOf(lines: readonly LogLine[]): readonly LogLine[] {
  const last = newest(lines);
  return last === null ? lines : lines.filter((line) => line.number === last);
}

/** A stream that a report knows by its schema alone, such as a measurement of the user's own. */
export interface Measurement {
  readonly description: RecordDescription;
  readonly records: readonly LogLine[];
}

/** The fields that are drawn, by name. */
export const drawnFields = ({ fields }: RecordDescription) =>
  Object.entries(fields).filter(([, { shown, type }]) => shown !== undefined && type !== 'array');

/** The title of a field beside those of other streams: 'drift: moved', and of a test 'accuracy of validations'. */
export const fieldTitle = (stream: string, { name, role }: RecordDescription, label: string): string =>
  role === 'test' ? testLabel(stream, label) : `${name}: ${label}`;

/** The mean of a field over the records of the newest update: `count` of its `of` records have a finite value. */
export interface FieldMean {
  readonly mean: number | null;
  readonly count: number;
  readonly of: number;
}

export function newestMean(measurement: Measurement, field: string): FieldMean {
  const values = newestValues(measurement, field);
  const of = newestOf(measurement.records).length;
  return { mean: values.length > 0 ? mean(values) : null, count: values.length, of };
}

/** '3 of 4', where some records have no finite value of a field; '' where all have one. */
export const shareInWords = ({ count, of }: Pick<FieldMean, 'count' | 'of'>): string =>
  count === of ? '' : `${count} of ${of}`;

/** The values of a field in the records of the newest update: many, where a record is one of many samples. */
export const newestValues = ({ records }: Measurement, field: string): number[] =>
  newestOf(records).flatMap((line) => {
    const value = numberIn(line, field);
    return value !== null && Number.isFinite(value) ? [value] : [];
  });

/** A stream of a network's log: its schema, and its lines. */
export interface LoggedStream {
  readonly stream: string;
  readonly description: RecordDescription;
  readonly lines: readonly LogLine[];
}

/** The lines of one network by stream, and what each stream declares to hold. */
export class NetworkLog {
  readonly streams: readonly LoggedStream[];

  constructor(lines: readonly LogLine[], declared: RecordDescriptions) {
    const grouped = new Map<string, LogLine[]>(Object.keys(declared).map((stream) => [stream, []]));
    for (const line of lines) {
      const stream = String(line.stream);
      if (!grouped.has(stream)) grouped.set(stream, []);
      grouped.get(stream)!.push(line);
    }
    this.streams = [...grouped].flatMap(([stream, own]) =>
      own.length === 0 ? [] : [{ stream, description: descriptionOf(declared, { stream }), lines: own }],
    );
  }

  /** The lines of the first stream with that record; the streams after it have charts of their own. */
  of({ name }: Pick<RecordDescription, 'name'>): readonly LogLine[] {
    return this.first((description) => description.name === name);
  }

  first(wanted: (description: RecordDescription) => boolean): readonly LogLine[] {
    return this.streams.find(({ description }) => wanted(description))?.lines ?? [];
  }
}
