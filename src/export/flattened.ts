import type { Metric } from '../storage/metrics-log.js';

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
