import { WeirError } from '../flow/errors.js';
import { spelled } from '../storage/json-numbers.js';
import type { MetricRecord } from '../storage/metrics-log.js';
import { flattened, type Leaf } from './flattened.js';

/** A column of records laid out as a table; 'text' too where its values are of several kinds, or lists. */
export interface Column {
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
 * @throws {WeirError} where there are more than 10,000
 */
export function columnsOf(records: Iterable<MetricRecord>): Column[] {
  const kinds = new Map<string, Column['kind'] | undefined>();
  for (const record of records) {
    for (const [field, value] of flattened(record)) {
      const known = kinds.get(field);
      if (value === null) kinds.set(field, known);
      else if (known !== 'text')
        kinds.set(field, known === undefined || known === kindOf(value) ? kindOf(value) : 'text');
    }
    if (kinds.size > most) {
      throw new WeirError(`the metric log has more than ${most} fields`, 'export one stream of it, with --stream NAME');
    }
  }
  const others = [...kinds.keys()].filter((name) => !first.includes(name));
  const clock = (name: string): boolean => name.startsWith('wall.');
  const names = [
    ...first.filter((name) => kinds.has(name)),
    ...others.filter((name) => !clock(name)),
    ...others.filter(clock),
  ];
  return names.map((name) => ({ name, kind: kinds.get(name) ?? 'text' }));
}

/** A value as the text of a cell: a list as JSON. */
export const textOf = (value: Exclude<Leaf, null>): string =>
  typeof value === 'object' ? JSON.stringify(value, spelled) : String(value);

const kindOf = (value: Exclude<Leaf, null>): Column['kind'] =>
  typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'flag' : 'text';
