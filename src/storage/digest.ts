import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import type { Data, TypedArray } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { bytesOf, dtypeOf } from './codec.js';
import type { MetricRecord } from './metric-reader.js';

/** CRC-32 (that of zip and PNG) of the bytes. @param before that of the bytes which precede them */
export const crc32 = (bytes: Uint8Array, before = 0): number =>
  bytes.length === 0 ? before : zlib.crc32(bytes, before); // zlib's own gives 0 for no bytes

/** CRC-32 of chunks one after another. */
export const crc32Of = (chunks: readonly Uint8Array[]): number =>
  chunks.reduce((before, chunk) => crc32(chunk, before), 0);

/** SHA-256 of bytes and texts (as UTF-8) one after another, in hexadecimal. */
export function sha256Of(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** The same as its 32 bytes. */
export const sha256Bytes = (...parts: readonly (Uint8Array | string)[]): Buffer =>
  Buffer.from(sha256Of(...parts), 'hex');

/** SHA-256 of a file, in hexadecimal. Bound: 1 MiB in memory. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}

/** SHA-256 of a plain value, in hexadecimal: the same whatever the order of its keys. */
export const digestOf = (value: unknown): string => sha256Of(canonical(value));

/** JSON with its keys in order. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`;
}

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
