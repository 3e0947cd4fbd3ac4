import { mean } from '../../plot/statistics.js';
import type { RecordDescription } from '../../storage/record.js';
import { type LogLine, newestOf, numberIn } from '../log.js';

/** A stream that a report knows by its schema alone, such as a measurement of the user's own. */
export interface Measurement {
  readonly description: RecordDescription;
  readonly records: readonly LogLine[];
}

/** The fields that are drawn, by name. */
export const drawnFields = ({ fields }: RecordDescription) =>
  Object.entries(fields).filter(([, { shown, type }]) => shown !== undefined && type !== 'array');

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
