import type { Data, TypedArray } from '../../flow/core-data.js';

/** The first place where an item is not as it was recorded. */
export interface Difference {
  /** 'values[17]', 'weights.hidden1.kernel.shape[0]'; '' for the item itself. */
  readonly field: string;
  readonly recorded: string;
  readonly came: string;
  /** What else is to be said of it: how many elements of an array differ. */
  readonly more: string;
}

/**
 * Where `came` first differs from `recorded`; undefined where it does not.
 *
 * Numbers are compared to the bit (NaN equals NaN, -0 is not 0), or may lie `tolerance` apart: that far below 1 in magnitude, that
 * share of the recorded number above. The tolerance is for floats: positions and arrays of integers are always compared to the bit.
 */
export function difference(recorded: Data, came: Data, tolerance = 0, field = ''): Difference | undefined {
  const differs = (more = ''): Difference => ({ field, recorded: shown(recorded), came: shown(came), more });
  if (ArrayBuffer.isView(recorded)) {
    if (!ArrayBuffer.isView(came) || came.constructor !== recorded.constructor || came.length !== recorded.length) {
      return differs();
    }
    return elements(
      recorded,
      came,
      recorded instanceof Float32Array || recorded instanceof Float64Array ? tolerance : 0,
      field,
    );
  }
  if (typeof recorded === 'number' && typeof came === 'number') {
    return near(recorded, came, field === 'position' ? 0 : tolerance) ? undefined : differs();
  }
  if (Array.isArray(recorded)) {
    if (!Array.isArray(came) || came.length !== recorded.length) return differs();
    for (const [i, value] of recorded.entries()) {
      const found = difference(value, came[i], tolerance, `${field}[${i}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isRecord(recorded) || !isRecord(came)) return Object.is(recorded, came) ? undefined : differs();
  for (const key of new Set([...Object.keys(recorded), ...Object.keys(came)])) {
    const found = difference(own(recorded, key), own(came, key), tolerance, field === '' ? key : `${field}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function elements(recorded: TypedArray, came: TypedArray, tolerance: number, field: string): Difference | undefined {
  let first = -1;
  let count = 0;
  let most = 0;
  for (let i = 0; i < recorded.length; i++) {
    if (near(recorded[i]!, came[i]!, tolerance)) continue;
    if (first < 0) first = i;
    count++;
    most = Math.max(most, Math.abs(Number(recorded[i]) - Number(came[i])));
  }
  if (first < 0) return undefined;
  return {
    field: `${field}[${first}]`,
    recorded: shown(recorded[first]),
    came: shown(came[first]),
    more: `${count} of its ${recorded.length} elements differ, by ${most} at most`,
  };
}

function near(recorded: number | bigint, came: number | bigint, tolerance: number): boolean {
  if (Object.is(recorded, came)) return true;
  if (tolerance === 0 || typeof recorded === 'bigint' || typeof came === 'bigint') return false;
  return Math.abs(recorded - came) <= tolerance * Math.max(1, Math.abs(recorded));
}

const isRecord = (data: Data): data is { readonly [key: string]: Data } =>
  typeof data === 'object' && data !== null && !Array.isArray(data) && !ArrayBuffer.isView(data);

const own = (record: { readonly [key: string]: Data }, key: string): Data =>
  Object.hasOwn(record, key) ? record[key] : undefined;

function shown(data: Data | bigint): string {
  if (data === undefined) return 'nothing';
  if (Object.is(data, -0)) return '-0';
  if (ArrayBuffer.isView(data)) return `${data.constructor.name} of ${data.length}`;
  if (Array.isArray(data)) return `a list of ${data.length}`;
  if (typeof data === 'object' && data !== null) return `a record of ${Object.keys(data).join(', ') || 'nothing'}`;
  return typeof data === 'string' ? JSON.stringify(data) : String(data);
}
