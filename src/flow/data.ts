/** Numbers in bulk, as a snapshot, a message to a worker or a recording may hold them. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Plain data, as a snapshot, a recording or a tap holds it: never a function, a tensor or a class instance. */
export type Data =
  | null
  | undefined
  | boolean
  | number
  | string
  | TypedArray
  | readonly Data[]
  | { readonly [key: string]: Data };

/**
 * The position that every item of a stream carries: how many samples its source had handed out when it came, its own included.
 *
 * Credits, snapshots and resumption all count in positions, so an operator in between keeps the field and may change all else.
 *
 * @example batches$.pipe(map(({ position, labels }) => ({ position, samples: labels.length })))
 */
export interface Positioned {
  readonly position: number;
}

/**
 * A copy of the plain data in an item: numbers, words, flags, arrays and records of these. Functions, tensors and other instances of
 * classes are left out, for nobody outside the graph may hold them. So is memory that threads share: it belongs to a data set.
 */
export function plainCopy(item: unknown): Data {
  if (item === null || item === undefined) return item;
  if (typeof item === 'number' || typeof item === 'string' || typeof item === 'boolean') return item;
  if (ArrayBuffer.isView(item) && !(item instanceof DataView)) {
    return item.buffer instanceof SharedArrayBuffer ? undefined : (item as TypedArray).slice();
  }
  if (Array.isArray(item)) return item.map(plainCopy);
  if (!isRecord(item)) return undefined;
  const copy: Record<string, Data> = {};
  for (const [key, value] of Object.entries(item)) {
    const data = plainCopy(value);
    if (data !== undefined) copy[key] = data;
  }
  return copy;
}

/** How many numbers an array of that shape holds; 1 where the shape is [], a scalar's. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, extent) => size * extent, 1);

/** Whether a value is a record: an object by itself, as a literal or JSON makes it, not an array nor an instance of a class. */
export function isRecord(value: Data): value is { readonly [key: string]: Data };
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>>;
export function isRecord(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null; // `Object.prototype`, of any realm
}
