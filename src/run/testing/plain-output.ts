import type { Data, TypedArray } from '../../flow/core-data.js';
import { plainCopy } from '../../flow/plain.js';

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
  if (!isPlainRecord(item)) return plainCopy(item);
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

const isPlainRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));
