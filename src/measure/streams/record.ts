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

/** The values of a field in the records of the newest update: many, where a record is one of many samples. */
export const newestValues = ({ records }: Measurement, field: string): number[] =>
  newestOf(records).flatMap((line) => {
    const value = numberIn(line, field);
    return value !== null && Number.isFinite(value) ? [value] : [];
  });
