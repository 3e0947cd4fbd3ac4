import { WeirError } from '../core/errors.js';
import { flattened, type Leaf } from './flattened.js';
import type { MetricRecord } from './metrics-log.js';

/** What identifies a record comes first, in this order. */
const first = ['network', 'stream', 'number', 'epoch', 'position', 'index'];
const mostColumns = 10_000;

/**
 * Records as CSV (RFC 4180, lines end in LF), a line at a time: a head, and a row for each.
 *
 * Nested fields have dots in their names (`sigma.hidden1`). Columns: network, stream, number, epoch, position, index, then all
 * others as they first come, and what depends on the clock (`wall.seconds`) last; so two runs of a pipeline have the same. A field that
 * a record lacks is empty, as is null; a list is one cell of JSON; arrays kept as base64 are left out. Numbers have all their digits,
 * 'NaN' and 'Infinity' stand for what they are.
 *
 * @param records gives the records anew each time: the first pass finds the columns, the second writes. Bound: a record.
 */
export function* csvOf(records: () => Iterable<MetricRecord>): Generator<string> {
  const columns = columnsOf(records());
  yield `${columns.map(cell).join(',')}\n`;
  const place = new Map(columns.map((column, i) => [column, i]));
  for (const record of records()) {
    const cells = new Array<string>(columns.length).fill('');
    for (const [field, value] of flattened(record)) cells[place.get(field)!] = cell(value);
    yield `${cells.join(',')}\n`;
  }
}

function columnsOf(records: Iterable<MetricRecord>): string[] {
  const columns = new Set<string>();
  for (const record of records) {
    for (const [field] of flattened(record)) columns.add(field);
    if (columns.size > mostColumns) {
      throw new WeirError(
        `the metric log has more than ${mostColumns} fields`,
        'export one stream of it, with --stream NAME',
      );
    }
  }
  const clock = (column: string): boolean => column.startsWith('wall.');
  const named = first.filter((column) => columns.delete(column));
  const others = [...columns];
  return [...named, ...others.filter((column) => !clock(column)), ...others.filter(clock)];
}

function cell(value: Leaf): string {
  if (value === null) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
