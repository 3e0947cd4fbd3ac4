import { type Data, isRecord, plainCopy, type TypedArray } from '../../flow/data.js';

/**
 * An item as plain data, with what `weir record` leaves out: a tensor becomes its shape and its values, a map of tensors (weights) a
 * record of these, and a function without arguments the number that it gives (`loss()`).
 *
 * @param like the recorded item: tensors, maps and functions that it has nothing of are left out; without it all are taken
 */
export function plainOutput(item: unknown, like?: { readonly item: Data }): Data {
  if (isTensor(item)) return { shape: [...item.shape], values: item.dataSync().slice() };
  if (item instanceof Map) return plainOutput(Object.fromEntries(item), like);
  if (typeof item === 'function') return numberOf(item as () => unknown);
  if (Array.isArray(item)) return item.map((one, i) => plainOutput(one, at(like, i)));
  if (!isRecord(item)) return plainCopy(item);
  const copy: Record<string, Data> = {};
  for (const [key, value] of Object.entries(item)) {
    const recorded = at(like, key);
    if (isSpecial(value) && recorded !== undefined && recorded.item === undefined) continue;
    const data = plainOutput(value, recorded);
    if (data !== undefined) copy[key] = data;
  }
  return copy;
}

interface Readable {
  readonly shape: readonly number[];
  dataSync(): TypedArray;
}

const isTensor = (value: unknown): value is Readable =>
  typeof (value as Partial<Readable> | null | undefined)?.dataSync === 'function';

const isSpecial = (value: unknown): boolean => typeof value === 'function' || value instanceof Map || isTensor(value);

function numberOf(ask: () => unknown): Data {
  const answer = ask.length === 0 ? ask() : undefined;
  return typeof answer === 'number' ? answer : undefined;
}

/** What was recorded in a field, where something was recorded at all. */
function at(like: { readonly item: Data } | undefined, key: string | number): { readonly item: Data } | undefined {
  if (like === undefined) return undefined;
  const { item } = like;
  const inside = typeof item === 'object' && item !== null && Object.hasOwn(item, key);
  return { item: inside ? (item as { readonly [key: string]: Data })[key] : undefined };
}

/** The first place where an item is not as it was recorded. */
export interface Difference {
  /** 'values[17]', 'weights.hidden1.kernel.shape[0]'; '' for the item itself. */
  readonly field: string;
  readonly recorded: string;
  readonly replayed: string;
  /** What else is to be said of it: how many elements of an array differ. */
  readonly more: string;
}

/**
 * Where `came` first differs from `recorded`; undefined where it does not.
 *
 * Numbers are compared to the bit (NaN equals NaN, -0 is not 0), or may lie `tolerance` apart: that far below 1 in magnitude, that
 * share of the recorded number above. The tolerance is for floats: positions and arrays of integers are always compared to the bit.
 */
export function difference(recorded: Data, replayed: Data, tolerance = 0, field = ''): Difference | undefined {
  const differs = (more = ''): Difference => ({ field, recorded: shown(recorded), replayed: shown(replayed), more });
  if (ArrayBuffer.isView(recorded)) {
    if (
      !ArrayBuffer.isView(replayed) ||
      replayed.constructor !== recorded.constructor ||
      replayed.length !== recorded.length
    ) {
      return differs();
    }
    return elements(
      recorded,
      replayed,
      recorded instanceof Float32Array || recorded instanceof Float64Array ? tolerance : 0,
      field,
    );
  }
  if (typeof recorded === 'number' && typeof replayed === 'number') {
    return near(recorded, replayed, field === 'position' ? 0 : tolerance) ? undefined : differs();
  }
  if (Array.isArray(recorded)) {
    if (!Array.isArray(replayed) || replayed.length !== recorded.length) return differs();
    for (const [i, value] of recorded.entries()) {
      const found = difference(value, replayed[i], tolerance, `${field}[${i}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isRecord(recorded) || !isRecord(replayed)) return Object.is(recorded, replayed) ? undefined : differs();
  for (const key of new Set([...Object.keys(recorded), ...Object.keys(replayed)])) {
    const found = difference(own(recorded, key), own(replayed, key), tolerance, field === '' ? key : `${field}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function elements(
  recorded: TypedArray,
  replayed: TypedArray,
  tolerance: number,
  field: string,
): Difference | undefined {
  let first = -1;
  let count = 0;
  let most = 0;
  for (let i = 0; i < recorded.length; i++) {
    if (near(recorded[i]!, replayed[i]!, tolerance)) continue;
    if (first < 0) first = i;
    count++;
    most = Math.max(most, Math.abs(Number(recorded[i]) - Number(replayed[i])));
  }
  if (first < 0) return undefined;
  return {
    field: `${field}[${first}]`,
    recorded: shown(recorded[first]),
    replayed: shown(replayed[first]),
    more: `${count} of its ${recorded.length} elements differ, by ${most} at most`,
  };
}

function near(recorded: number | bigint, replayed: number | bigint, tolerance: number): boolean {
  if (Object.is(recorded, replayed)) return true;
  if (tolerance === 0 || typeof recorded === 'bigint' || typeof replayed === 'bigint') return false;
  return Math.abs(recorded - replayed) <= tolerance * Math.max(1, Math.abs(recorded));
}

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
