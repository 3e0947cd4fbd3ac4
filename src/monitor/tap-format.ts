import type { Data, TypedArray } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { TapPolicy } from '../flow/tap.js';
import { arrayOf, bytesOf, type Dtype, dtypeOf, dtypes } from '../storage/codec.js';
import type { TapRequest } from './messages.js';

/** What the address of a tap asks for. @returns words where it asks for something that there is not */
export function tapRequest(
  query: URLSearchParams,
): { readonly request: TapRequest; readonly arrays: ArraysAs } | string {
  const edge = query.get('edge') ?? '';
  const arrays = query.get('arrays') ?? 'summary';
  if (edge === '' || edge.length > 200) return 'a tap needs the name of an edge';
  if (arrays !== 'summary' && arrays !== 'base64') return `arrays are given as summary or base64, not as '${arrays}'`;
  const policy = policyOf(query.get('policy') ?? 'latest');
  if (policy === undefined) return 'a policy is latest, sample:EVERY or buffer:SIZE, from 1 to 10000';
  const rate = query.get('rate');
  if (rate !== null && !(Number(rate) > 0 && Number(rate) <= 1e6))
    return 'a rate is a number of items a second above 0';
  return { request: { edge, policy, ...(rate !== null && { rate: Number(rate) }) }, arrays };
}

/** `latest`, `sample:10` or `buffer:64`; undefined where it is none of them. */
export function policyOf(text: string): TapPolicy | undefined {
  if (text === 'latest') return { keep: 'latest' };
  const [, keep, digits] = /^(sample|buffer):(\d{1,5})$/.exec(text) ?? [];
  const count = Number(digits);
  if (!(count >= 1 && count <= 10_000)) return undefined;
  return keep === 'sample' ? { keep, every: count } : { keep: 'buffer', size: count };
}

/** How arrays of an item are printed: how long they are and how they begin, or all of it. */
export type ArraysAs = 'summary' | 'base64';

const shown = 8; // values of an array's beginning
const marker = '$'; // the key of what JSON has no word for

/**
 * Plain data as JSON has it. Arrays of numbers are summed up (`{ "Float32Array": 784, "start": […] }`, for readers) or given
 * whole as base64 (for `fromWire`, which gives all of it back, NaN, the infinities and `undefined` included).
 */
export function toWire(data: Data, arrays: ArraysAs): unknown {
  if (ArrayBuffer.isView(data)) return arrays === 'summary' ? summary(data as TypedArray) : whole(data as TypedArray);
  if (typeof data === 'number' && !isInJson(data))
    return arrays === 'summary'
      ? String(data)
      : { [marker]: 'number', value: Object.is(data, -0) ? '-0' : String(data) };
  if (data === undefined) return arrays === 'summary' ? undefined : { [marker]: 'undefined' };
  if (typeof data !== 'object' || data === null) return data;
  if (Array.isArray(data)) return data.map((one) => toWire(one as Data, arrays));
  const entries = Object.entries(data as Record<string, Data>).map(
    ([key, value]) => [key, toWire(value, arrays)] as const,
  );
  if (arrays === 'base64' && Object.hasOwn(data, marker)) return { [marker]: 'record', entries };
  return Object.fromEntries(entries);
}

/** What `toWire(…, 'base64')` made, as it was. @throws {WeirError} where it is something else */
export function fromWire(json: unknown): Data {
  if (typeof json !== 'object' || json === null) return json as Data;
  if (Array.isArray(json)) return json.map(fromWire);
  const record = json as Record<string, unknown>;
  if (!Object.hasOwn(record, marker))
    return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, fromWire(value)]));
  if (record[marker] === 'undefined') return undefined;
  if (record[marker] === 'number') return Number(record.value);
  if (record[marker] === 'record') {
    return Object.fromEntries((record.entries as [string, unknown][]).map(([key, value]) => [key, fromWire(value)]));
  }
  return arrayFrom(record);
}

const isInJson = (number: number): boolean => Number.isFinite(number) && !Object.is(number, -0);

function summary(array: TypedArray): unknown {
  const start = Array.from(array.subarray(0, shown) as ArrayLike<number | bigint>, Number);
  return { [array.constructor.name]: array.length, start };
}

const whole = (array: TypedArray): unknown => {
  const bytes = bytesOf(array);
  return {
    [marker]: dtypeOf(array),
    base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  };
};

function arrayFrom(record: Record<string, unknown>): Data {
  const dtype = record[marker] as Dtype;
  if (dtypes.includes(dtype)) return arrayOf(dtype, new Uint8Array(Buffer.from(String(record.base64), 'base64')));
  throw new WeirError(
    `a tap gave something unknown: '${String(dtype)}'`,
    'use the same Weir for the tap as for the run',
  );
}
