import { isRecord, type Positioned, type TypedArray } from '../flow/data.js';
import type { Stage } from '../flow/stage.js';
import type { Metric, StreamRecord } from './metric-reader.js';

const pictures = 12; // items whose arrays are kept, for the figures
const longestArray = 200_000; // values

/**
 * The stage that writes every item of a stream into the metric log, as plain numbers, words and flags.
 *
 * An item with a text in its field `network` is logged under that name, any other under the name of the graph's network. Functions
 * without arguments (`loss()`) are called, and their number is logged. Arrays are logged of the first 12 items that have any.
 * Bound: nothing is kept. Order: that of the items. State: how many items with arrays were logged. On resume the lines after the newest
 * snapshot are cut off and written again.
 *
 * @param write takes one line
 */
export function logStage(
  network: string,
  stream: string,
  write: (record: StreamRecord) => void,
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

/** The fields of an item that can be logged, and whether it has arrays. */
function plain(item: object, withArrays: boolean): { fields: Record<string, Metric>; arrays: boolean } {
  const fields: Record<string, Metric> = {};
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

const numberOf = (value: unknown): Metric => (typeof value === 'number' ? value : null);

function isPlain(value: unknown): value is Metric {
  if (value === null || ['number', 'string', 'boolean'].includes(typeof value)) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  return isRecord(value) && Object.values(value).every(isPlain);
}

/** An array as little-endian float32 in base64, so that a record stays one line. */
const encoded = (array: TypedArray): Metric => ({
  float32: Buffer.from(Float32Array.from(array as Float32Array).buffer).toString('base64'),
});

/** The array that `logStage` wrote; undefined for anything else. */
export function floatsOf(data: unknown): Float32Array | undefined {
  const text = (data as { readonly float32?: string } | undefined)?.float32;
  if (typeof text !== 'string') return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % 4 !== 0) return undefined; // altered: no array
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
