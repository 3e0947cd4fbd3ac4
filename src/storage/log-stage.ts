import { isRecord, type Positioned, type TypedArray } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { Stage } from '../flow/stage.js';
import type { KeptRecord } from './kept-arrays.js';
import type { Metric, StreamRecord } from './metric-reader.js';
import { mismatchOf, type RecordSchema, reserved } from './record.js';

const pictures = 12; // items whose arrays are kept, for the figures
const longestArray = 200_000; // values

/**
 * The stage that writes every item of a stream into the metric log, as plain numbers, words and flags.
 *
 * An item with a text in its field `network` is logged under that name, any other under the name of the graph's network. Functions
 * without arguments (`loss()`) are called, and their number is logged. Arrays are logged of the first 12 items that have any. Left out
 * are what items carry for other stages: functions with arguments, weights (a `Map` of tensors), records that hold arrays (such as the
 * vectors of a spectrum), and fields that are undefined.
 * Bound: nothing is kept. Order: that of the items. State: how many items with arrays were logged. On resume the lines after the newest
 * snapshot are cut off and written again.
 *
 * Failure: a record that does not match the schema of its stream, a value that the log cannot hold, a field with a name of the log's own.
 *
 * @param write takes one line
 * @param schema of the stream, asked for at each item; by default it has none
 * @param keep takes the arrays that the schema wants kept of all items, with the rest of the line, and the item's number from 1 on
 */
export function logStage(
  network: string,
  stream: string,
  write: (record: StreamRecord) => void,
  schema: () => RecordSchema | undefined = () => undefined,
  keep?: (number: number, record: KeptRecord) => void,
): Stage<Positioned, never, number> {
  return {
    name: `log ${stream}`,
    role: 'log',
    anyOrder: true,
    handsOn: true,
    start: () => 0,
    next(withArrays, item) {
      const { fields, arrays } = plain(stream, item, withArrays < pictures);
      const mismatch = mismatchOf(schema(), fields);
      if (mismatch !== undefined) {
        throw new WeirError(
          `a record of stream '${stream}' does not match its schema: ${mismatch}`,
          'emit what the schema declares, or declare what is emitted; `.optional()` declares a field that may be missing',
        );
      }
      const line = { ...fields, network: typeof fields.network === 'string' ? fields.network : network, stream };
      write(line);
      const kept = keep && arraysToKeep(schema(), item);
      if (kept !== undefined) keep!(withArrays + 1, { ...line, ...kept } as unknown as KeptRecord);
      return [arrays ? withArrays + 1 : withArrays];
    },
  };
}

/** The arrays of an item that its schema wants kept of all items; undefined where it has none. */
function arraysToKeep(schema: RecordSchema | undefined, item: object): Record<string, TypedArray> | undefined {
  const wanted = Object.entries(item).filter(
    ([name, value]) => ArrayBuffer.isView(value) && schema?.description.fields[name]?.kept === 'all',
  );
  return wanted.length === 0 ? undefined : (Object.fromEntries(wanted) as Record<string, TypedArray>);
}

/** The fields of an item that can be logged, and whether it has arrays. @throws {WeirError} for a value that the log cannot hold */
function plain(stream: string, item: object, withArrays: boolean): { fields: Record<string, Metric>; arrays: boolean } {
  const fields: Record<string, Metric> = {};
  let arrays = false;
  for (const [key, given] of Object.entries(item)) {
    if (reserved.includes(key) && !(key === 'network' && typeof given === 'string')) {
      throw new WeirError(
        `an item of stream '${stream}' has a field '${key}', which the metric log writes itself`,
        'give the field another name',
      );
    }
    const value = typeof given === 'function' && given.length === 0 ? (given() ?? null) : given;
    if (ArrayBuffer.isView(value)) {
      arrays = true;
      if (withArrays && value.byteLength / 4 <= longestArray) fields[key] = encoded(value as TypedArray);
    } else if (value !== undefined && typeof value !== 'function' && !isWeights(value)) {
      const odd = unloggable(value, key);
      if (odd !== undefined) {
        throw new WeirError(
          `an item of stream '${stream}' has ${odd}, which the metric log cannot hold`,
          'emit numbers, texts, flags, null, and lists and records of these, or leave the field out',
        );
      }
      if (!holdsArray(value)) fields[key] = value as Metric;
    }
  }
  return { fields, arrays };
}

const isTensor = (value: unknown): boolean => typeof value === 'object' && value !== null && 'dataId' in value;

/** Whether a value is what a network was trained to, which items carry for the stages behind. */
const isWeights = (value: unknown): boolean => value instanceof Map && [...value.values()].every(isTensor);

const holdsArray = (value: unknown): boolean =>
  ArrayBuffer.isView(value) || ((Array.isArray(value) || isRecord(value)) && Object.values(value).some(holdsArray));

/** The first value that the log cannot hold, in words and with its path; undefined where there is none. */
function unloggable(value: unknown, path: string): string | undefined {
  if (value === null || ['number', 'string', 'boolean'].includes(typeof value) || ArrayBuffer.isView(value))
    return undefined;
  if (!isTensor(value) && (Array.isArray(value) || isRecord(value))) {
    for (const [key, inner] of Object.entries(value)) {
      const odd = unloggable(inner, `${path}.${key}`);
      if (odd !== undefined) return odd;
    }
    return undefined;
  }
  return `${typeWords(value)} in '${path}'`;
}

function typeWords(value: unknown): string {
  if (isTensor(value)) return 'a tensor';
  if (typeof value === 'object') return `a ${value!.constructor?.name ?? 'object'}`;
  return value === undefined ? 'undefined' : `a ${typeof value}`;
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
