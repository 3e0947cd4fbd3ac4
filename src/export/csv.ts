import { atomically } from '../storage/disk.js';
import type { MetricRecord } from '../storage/metric-reader.js';
import { columnsOf, flattened, remedy, type TableOptions, TableRecords, textOf } from './columns.js';

/**
 * Records as CSV (RFC 4180, lines end in LF), a line at a time: a head, and a row for each; the columns are those of `columnsOf`.
 *
 * A field that a record lacks is empty, as is null; a list is one cell of JSON; arrays kept as base64 are left out. Numbers have all
 * their digits, 'NaN' and 'Infinity' stand for what they are.
 *
 * @param records gives the records anew each time: the first pass finds the columns, the second writes. Bound: a record.
 */
export function* csvOf(records: () => Iterable<MetricRecord>): Generator<string> {
  const columns = columnsOf(records());
  yield `${columns.map(({ name }) => quoted(name)).join(',')}\n`;
  const positions = new Map(columns.map(({ name }, i) => [name, i]));
  for (const record of records()) {
    const cells = new Array<string>(columns.length).fill('');
    for (const [field, value] of flattened(record)) {
      const at = positions.get(field); // none: a run under way has logged a new field since
      if (value !== null && at !== undefined) cells[at] = quoted(textOf(value));
    }
    yield `${cells.join(',')}\n`;
  }
}

const quoted = (text: string): string => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const bufferCharacters = 2 ** 16;

/**
 * Writes records as CSV.
 *
 * @param records gives them anew each time
 * @returns how many rows there are
 * @throws {WeirError} where no record is of the stream or network asked for, with those there are
 */
export function exportCsv(file: string, records: () => Iterable<MetricRecord>, options: TableOptions): number {
  const chosen = new TableRecords(records, options);
  return atomically(
    file,
    (out) => {
      let rows = -1; // the head is none
      let waiting = '';
      for (const line of csvOf(() => chosen)) {
        waiting += line;
        rows++;
        if (waiting.length < bufferCharacters) continue;
        out.write(Buffer.from(waiting));
        waiting = '';
      }
      if (rows === 0) throw chosen.nothing;
      out.write(Buffer.from(waiting));
      return rows;
    },
    { remedy },
  );
}
