import type { Data, Positioned, TypedArray } from '../flow/data.js';
import type { Stage } from '../flow/stage.js';

/** A line of the metric log. */
export interface MetricRecord {
  readonly network: string;
  readonly stream: string;
  readonly [field: string]: Data;
}

const pictures = 12; // items whose arrays are kept, for the figures
const longestArray = 200_000; // values

/**
 * Writes every item of a stream into the metric log, as plain numbers, words and flags.
 *
 * An item that says which network it is of (a field `network`) is logged under that name, else under the graph's own.
 * Numbers that wait on the device (`loss()`) are read. Arrays are kept of the first few items only.
 * State: how many of those there were. What is written after the newest snapshot is cut back on resume.
 */
export function journal(
  network: string,
  stream: string,
  write: (record: MetricRecord) => void,
): Stage<Positioned, never, number> {
  return {
    name: `log ${stream}`,
    role: 'log',
    anyOrder: true,
    handsOn: true,
    start: () => 0,
    next(kept, item) {
      const { fields, arrays } = plain(item, kept < pictures);
      write({ ...fields, network: typeof fields.network === 'string' ? fields.network : network, stream });
      return [arrays ? kept + 1 : kept];
    },
  };
}

/** The fields of an item that can be written; functions without arguments are asked for their number. */
function plain(item: object, withArrays: boolean): { fields: Record<string, Data>; arrays: boolean } {
  const fields: Record<string, Data> = {};
  let arrays = false;
  for (const [key, value] of Object.entries(item)) {
    if (typeof value === 'function') {
      if (value.length === 0) fields[key] = numberOf(value());
    } else if (ArrayBuffer.isView(value)) {
      arrays = true;
      if (withArrays && value.byteLength / 4 <= longestArray) fields[key] = encoded(value as TypedArray);
    } else if (isPlain(value)) fields[key] = value;
  }
  return { fields, arrays };
}

/** NaN and the infinities too: the log has them. */
const numberOf = (value: unknown): Data => (typeof value === 'number' ? value : null);

function isPlain(value: unknown): value is Data {
  if (value === null || ['number', 'string', 'boolean'].includes(typeof value)) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.values(value).every(isPlain);
}

/** Floats as base64, little-endian; the log stays one line a record. */
const encoded = (array: TypedArray): Data => ({
  float32: Buffer.from(Float32Array.from(array as Float32Array).buffer).toString('base64'),
});

/** Floats as `journal` wrote them. */
export function decoded(data: Data | undefined): Float32Array | undefined {
  const text = (data as { readonly float32?: string } | undefined)?.float32;
  if (typeof text !== 'string') return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % 4 !== 0) return undefined; // altered: no array
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
