import { WeirError } from '../flow/errors.js';
import { atomically } from '../storage/disk.js';
import { type Metric, type MetricRecord, metricReplacer } from '../storage/metric-reader.js';
import { descriptionOf, type FieldDescription, fieldOf, type RecordDescriptions } from '../storage/record.js';

/** A value of a record that is no record itself: a list stays whole. */
export type Leaf = Exclude<Metric, { readonly [key: string]: Metric }>;

/**
 * The fields of a record one by one, those of records inside it with dots: `sigma.hidden1`.
 *
 * Arrays that the log keeps as base64 ({ float32: … }: pictures, grids) are left out.
 */
export function* flattened(
  record: { readonly [key: string]: Metric | undefined },
  before = '',
): Generator<readonly [field: string, value: Leaf]> {
  for (const [key, value] of Object.entries(record)) {
    if (value === undefined) continue;
    const field = before + key;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) yield [field, value as Leaf];
    else if (!isArrayOfTheLog(value as object))
      yield* flattened(value as { readonly [key: string]: Metric }, `${field}.`);
  }
}

const isArrayOfTheLog = (value: { readonly float32?: unknown }): boolean =>
  typeof value.float32 === 'string' && Object.keys(value).length === 1;

/** A column of records laid out as a table; 'text' too where its values are of several kinds, or lists. */
export interface TableColumn {
  readonly name: string;
  readonly kind: 'number' | 'flag' | 'text';
}

// What identifies a record comes first, in this order.
const first = ['network', 'stream', 'number', 'epoch', 'position', 'index'];
const most = 10_000;

/**
 * The columns of records: nested fields with dots (`sigma.hidden1`), in an order that two runs of a pipeline share: network, stream,
 * number, epoch, position, index, then all others as they first come, and what depends on the clock (`wall.seconds`) last.
 *
 * @param streams their schemas: a number that was never measured is a number all the same
 * @throws {WeirError} where there are more than 10,000
 */
function columnsOf(records: Iterable<MetricRecord>, streams: RecordDescriptions = {}): TableColumn[] {
  const kinds = new Map<string, TableColumn['kind'] | undefined>();
  for (const record of records) {
    const description = descriptionOf(streams, record);
    const { open } = description;
    for (const [field, value] of flattened(record)) {
      const known =
        kinds.get(field) ?? declaredKinds[(open ? undefined : fieldOf(description, field)?.type) ?? 'other'];
      const found = value === null ? known : kindOf(value);
      kinds.set(field, known === undefined || known === found ? found : 'text');
    }
    if (kinds.size > most) {
      throw new WeirError(`the metric log has more than ${most} fields`, 'export one stream of it, with --stream NAME');
    }
  }
  const others = [...kinds.keys()].filter((name) => !first.includes(name));
  const clock = (name: string): boolean => name.startsWith('wall.');
  const names = [
    first.filter((name) => kinds.has(name)),
    others.filter((name) => !clock(name)),
    others.filter(clock),
  ].flat();
  return names.map((name) => ({ name, kind: kinds.get(name) ?? 'text' }));
}

/** A value as the text of a cell: a list as JSON. */
export const textOf = (value: Exclude<Leaf, null>): string =>
  typeof value === 'object' ? JSON.stringify(value, metricReplacer) : String(value);

const declaredKinds: Readonly<Record<FieldDescription['type'], TableColumn['kind'] | undefined>> = {
  number: 'number',
  numbers: 'number',
  flag: 'flag',
  text: 'text',
  array: undefined,
  other: undefined,
};

const kindOf = (value: Exclude<Leaf, null>): TableColumn['kind'] =>
  typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'flag' : 'text';

/** The remedy where a file cannot be written. */
export const remedy = 'give a file in a folder that can be written to';

/** Which records are exported, and the schemas of their streams. */
export interface MetricTableOptions {
  /** Take the records of this stream alone. */
  readonly stream?: string | undefined;
  readonly network?: string | undefined;
  readonly streams?: RecordDescriptions;
}

/** The records of a log that an export takes, anew each time. */
export class TableRecords {
  private readonly found = new Set<string>();
  private readonly networks = new Set<string>();

  constructor(
    private readonly records: () => Iterable<MetricRecord>,
    private readonly options: MetricTableOptions,
  ) {}

  *[Symbol.iterator](): Generator<MetricRecord> {
    const { stream, network } = this.options;
    for (const record of this.records()) {
      this.found.add(String(record.stream));
      this.networks.add(String(record.network));
      if (stream !== undefined && record.stream !== stream) continue;
      if (network !== undefined && record.network !== network) continue;
      yield record;
    }
  }

  get columns(): TableColumn[] {
    return columnsOf(this, this.options.streams);
  }

  /** The error where there are none. */
  get nothing(): WeirError {
    if (this.found.size === 0) {
      return new WeirError('the metric log is empty', 'export it when the run has got under way');
    }
    const { stream, network } = this.options;
    const asked = [stream && `stream '${stream}'`, network && `network '${network}'`].filter(Boolean).join(' and ');
    return new WeirError(
      `the metric log has nothing of ${asked}`,
      `its streams are ${[...this.found].join(', ')}; its networks ${[...this.networks].join(', ')}`,
    );
  }
}

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
export function exportCsv(file: string, records: () => Iterable<MetricRecord>, options: MetricTableOptions): number {
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
