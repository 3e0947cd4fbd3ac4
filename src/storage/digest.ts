import { createHash, type Hash } from 'node:crypto';
import type { Data, TypedArray } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { bytesOf, dtypeOf } from './bytes.js';
import type { MetricRecord } from './metric-reader.js';

/**
 * SHA-256 of the weights, in hexadecimal: for each name, sorted by its UTF-8 bytes, the name and its values as
 * little-endian float32.
 *
 * In Python: `for name in sorted(w, key=str.encode): h.update(name.encode()); h.update(w[name].astype('<f4').tobytes())`.
 */
export function hashWeights(weights: { readonly [name: string]: Float32Array }): string {
  const hash = createHash('sha256');
  for (const name of sorted(Object.keys(weights))) {
    const values = weights[name]!;
    if (dtypeOf(values) !== 'float32') {
      throw new WeirError(`cannot hash weight '${name}': expected float32 values, got ${dtypeOf(values)}`);
    }
    hash.update(name).update(bytesOf(values));
  }
  return hash.digest('hex');
}

/**
 * SHA-256 of all state and of the metric log, in hexadecimal: what two runs must share to be the same.
 *
 * The order of an object's keys makes no difference; the type of an array and the sign of zero do. What a metric record
 * holds under `wall` is left out.
 */
export function hashAll(state: Data, metrics: Iterable<MetricRecord> = []): string {
  const hash = createHash('sha256');
  add(hash, state);
  for (const { wall: _, ...record } of metrics) add(hash, record);
  return hash.digest('hex');
}

/** Feeds a value in a form that no other value has: every part begins with what it is and how long. */
function add(hash: Hash, value: Data): void {
  if (value === null || typeof value === 'undefined' || typeof value === 'boolean') {
    hash.update(`${value};`);
  } else if (typeof value === 'number') {
    hash.update(`number ${Object.is(value, -0) ? '-0' : value};`); // the shortest text that gives the number back
  } else if (typeof value === 'string') {
    hash.update(`text ${Buffer.byteLength(value)}:${value};`);
  } else if (ArrayBuffer.isView(value)) {
    const array = value as TypedArray;
    hash.update(`${dtypeOf(array)} ${array.length}:`).update(bytesOf(array));
  } else if (Array.isArray(value)) {
    hash.update(`list ${value.length}:`);
    for (const item of value as readonly Data[]) add(hash, item);
  } else {
    const object = value as { readonly [key: string]: Data };
    const keys = sorted(Object.keys(object));
    hash.update(`object ${keys.length}:`);
    for (const key of keys) {
      add(hash, key);
      add(hash, object[key]);
    }
  }
}

const sorted = (names: readonly string[]): string[] =>
  [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
