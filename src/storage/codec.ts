import { endianness } from 'node:os';
import { Packr } from 'msgpackr';
import type { Data, TypedArray } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';

/** The element types that files hold. Their order is part of every file format: append only. */
const kinds = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint8clamped: Uint8ClampedArray,
  uint16: Uint16Array,
  uint32: Uint32Array,
  bigint64: BigInt64Array,
  biguint64: BigUint64Array,
} as const;

export type Dtype = keyof typeof kinds;
export const dtypes = Object.keys(kinds) as readonly Dtype[];

/** The element type of an array, or undefined for a view that files do not hold (a DataView, float16). */
export function dtypeOf(array: ArrayBufferView): Dtype | undefined {
  const tag: unknown = Reflect.get(array, Symbol.toStringTag); // the same for a Buffer, and across realms
  return dtypes.find((dtype) => kinds[dtype].name === tag);
}

/** Bytes of one element. */
export const elementBytes = (dtype: Dtype): number => kinds[dtype].BYTES_PER_ELEMENT;

/** The array's bytes, little-endian: a view where the machine is little-endian too, so written at once or copied. */
export function bytesOf(array: TypedArray, order = endianness()): Uint8Array {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return order === 'LE' ? bytes : swapped(bytes, array.BYTES_PER_ELEMENT);
}

/** The array that little-endian bytes hold: a view of them where they lie aligned, else a copy. */
export function arrayOf(dtype: Dtype, bytes: Uint8Array, order = endianness()): TypedArray {
  const size = elementBytes(dtype);
  if (bytes.byteLength % size) {
    throw new WeirError(`${bytes.byteLength} bytes are no whole number of ${dtype} elements (${size} bytes each)`);
  }
  const own = order === 'BE' ? swapped(bytes, size) : bytes.byteOffset % size ? new Uint8Array(bytes) : bytes;
  return new kinds[dtype](own.buffer as ArrayBuffer, own.byteOffset, own.byteLength / size);
}

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const copy = Buffer.from(bytes);
  if (size === 2) copy.swap16();
  if (size === 4) copy.swap32();
  if (size === 8) copy.swap64();
  return new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength);
}

/** How deep arrays and objects may nest in packed data. */
const nestingLimit = 100;

/**
 * Reads packed bytes through without building anything, and throws a `WeirError` unless they are what `pack` writes.
 *
 * The decoder then never meets an extension (it would build dates, regular expressions, errors, records compiled to
 * functions), recursion past `nestingLimit`, a length past the end, a key that is not text, or bytes after the value.
 * Time and memory: linear in the bytes, and at most `nestingLimit` counters.
 */
function checkPacked(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const left = [1]; // values still to come in each open container, the innermost last
  const keyed = [false];
  let at = 0;

  const refuse = (what: string): never => {
    throw new WeirError(`packed data is not valid at byte ${at}: ${what}`, 'it was altered, or Weir did not write it');
  };
  const skip = (length: number): void => {
    if (length > bytes.length - at) refuse(`${length} bytes expected, ${bytes.length - at} are left`);
    at += length;
  };
  const length = (size: 1 | 2 | 4): number => {
    const start = at;
    skip(size);
    return size === 1 ? view.getUint8(start) : size === 2 ? view.getUint16(start) : view.getUint32(start);
  };
  const open = (count: number, map: boolean): void => {
    const values = map ? 2 * count : count;
    if (values > bytes.length - at) refuse(`${values} values expected, ${bytes.length - at} bytes are left`);
    if (left.length > nestingLimit) refuse(`more than ${nestingLimit} levels of nesting`);
    left.push(values);
    keyed.push(map);
  };
  const undefinedValue = (): void => {
    const start = at;
    skip(2);
    if (bytes[start] !== 0 || bytes[start + 1] !== 0) refuse(`extension ${bytes[start]}`);
  };
  const text = (size: number): void => {
    const start = at;
    skip(size);
    if (!isKey || size !== 9) return;
    if (Buffer.from(bytes.buffer, bytes.byteOffset + start, 9).toString('latin1') === '__proto__') {
      refuse("the key '__proto__'");
    }
  };

  let isKey = false;
  while (left.length > 0) {
    const top = left.length - 1;
    const rest = left[top]!;
    if (rest === 0) {
      left.pop();
      keyed.pop();
      continue;
    }
    left[top] = rest - 1;
    isKey = keyed[top]! && rest % 2 === 0;
    const token = length(1);
    if (isKey && !((token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token <= 0xdb))) {
      refuse('a key that is not text');
    }
    if (token < 0x80 || token >= 0xe0) continue; // a small integer
    if (token < 0x90) open(token - 0x80, true);
    else if (token < 0xa0) open(token - 0x90, false);
    else if (token < 0xc0) text(token - 0xa0);
    else if (token === 0xc0 || token === 0xc2 || token === 0xc3) continue;
    else if (token === 0xc4) skip(length(1));
    else if (token === 0xc5) skip(length(2));
    else if (token === 0xc6) skip(length(4));
    else if (token === 0xcb) skip(8);
    else if (token === 0xcc || token === 0xd0) skip(1);
    else if (token === 0xcd || token === 0xd1) skip(2);
    else if (token === 0xce || token === 0xd2) skip(4);
    else if (token === 0xd4) undefinedValue();
    else if (token === 0xd9) text(length(1));
    else if (token === 0xda) text(length(2));
    else if (token === 0xdb) text(length(4));
    else if (token === 0xdc) open(length(2), false);
    else if (token === 0xdd) open(length(4), false);
    else if (token === 0xde) open(length(2), true);
    else if (token === 0xdf) open(length(4), true);
    else refuse(`a value of type 0x${token.toString(16)}`);
  }
  if (at < bytes.length) refuse(`${bytes.length - at} bytes after the end`);
}

/** An array that `pack` left out: `name` is its path in the data ('train/weights/hidden1/kernel'). */
export interface Segment {
  readonly name: string;
  readonly dtype: Dtype;
  readonly array: TypedArray;
}

/** What stands in the packed structure in a segment's place: its index among them, element type and number of elements. */
export interface SegmentReference {
  readonly index: number;
  readonly dtype: Dtype;
  readonly length: number;
}

// Plain maps, arrays, numbers, text and bytes: no records, no bundled strings, no types that instantiate (the defaults
// for `moreTypes` and `structuredClone` are off; `checkPacked` refuses them when reading).
const codec = new Packr({ useRecords: false, mapsAsObjects: true, bundleStrings: false });

// What MessagePack cannot say goes into its byte strings: the first byte says what the rest is.
// Below `dtypes.length`: the elements of an array of that type, little-endian.
const reference = 0x80; // dtype (1 byte), index (4), elements (8, float64)
const minusZero = 0x81;

/**
 * Plain data as bytes (MessagePack). `unpack` gives back the same, bit for bit: -0, undefined and typed arrays too.
 *
 * Given `segments`, it appends the typed arrays there and packs references to them; the arrays are not copied.
 * Throws a `WeirError` that names the place of anything that is not plain data.
 */
export function pack(value: Data, segments?: Segment[]): Uint8Array {
  const path: string[] = [];
  const refuse = (what: string, remedy = 'hold only plain objects, arrays, numbers, text and typed arrays'): never => {
    throw new WeirError(`cannot pack '${path.slice(0, 20).join('/') || '(top)'}': it is ${what}`, remedy);
  };

  const text = (value: string): string =>
    /\p{Surrogate}/u.test(value) ? refuse('text with half a surrogate pair, which UTF-8 cannot hold') : value;

  const inside = (key: string, value: unknown): unknown => {
    if (path.length >= nestingLimit) refuse(`nested deeper than ${nestingLimit} levels`, 'is there a cycle in it?');
    path.push(key);
    const result = plain(value);
    path.pop();
    return result;
  };

  const array = (value: ArrayBufferView): Uint8Array => {
    const dtype = dtypeOf(value);
    if (!dtype) return refuse(`a ${value.constructor.name}`);
    const array = value as TypedArray;
    if (!segments) return Buffer.concat([Uint8Array.of(dtypes.indexOf(dtype)), bytesOf(array)]);
    const index = segments.push({ name: path.join('/'), dtype, array }) - 1;
    const bytes = Buffer.alloc(14, reference);
    bytes.writeUInt8(dtypes.indexOf(dtype), 1);
    bytes.writeUInt32LE(index, 2);
    bytes.writeDoubleLE(array.length, 6);
    return bytes;
  };

  // Objects become Maps, which the codec writes entry by entry whatever their keys are ('constructor', 'toJSON').
  const plain = (value: unknown): unknown => {
    if (value === null || value === undefined || typeof value === 'boolean') return value;
    if (typeof value === 'number') return Object.is(value, -0) ? Buffer.of(minusZero) : value;
    if (typeof value === 'string') return text(value);
    if (typeof value !== 'object') return refuse(`a ${typeof value}`);
    if (Array.isArray(value)) return Array.from(value, (item, i) => inside(String(i), item));
    if (ArrayBuffer.isView(value)) return array(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      return refuse(`an instance of ${value.constructor?.name ?? 'a class'}`);
    }
    return new Map(
      Object.entries(value).map(([key, item]) => {
        if (key === '__proto__') refuse("an object with the key '__proto__'");
        return [text(key), inside(key, item)];
      }),
    );
  };

  return codec.pack(plain(value));
}

/**
 * The data that `pack` wrote. Typed arrays inside lie on buffers of their own; `segment` gives those left out.
 *
 * Throws a `WeirError` that names the byte where they are not valid, before anything is built.
 */
export function unpack(bytes: Uint8Array, segment?: (reference: SegmentReference) => TypedArray): Data {
  checkPacked(bytes);

  const special = (bytes: Uint8Array): Data => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const dtype = dtypes[bytes[0] === reference ? (bytes[1] ?? -1) : (bytes[0] ?? -1)];
    if (bytes[0] === minusZero && bytes.length === 1) return -0;
    if (bytes[0] === reference && bytes.length === 14 && dtype && segment) {
      return segment({ index: view.getUint32(2, true), dtype, length: view.getFloat64(6, true) });
    }
    if (bytes[0] === reference || !dtype) {
      throw new WeirError('packed data holds bytes of an unknown kind', 'it was altered, or a newer Weir wrote it');
    }
    return arrayOf(dtype, new Uint8Array(bytes.subarray(1)));
  };

  const revive = (value: unknown): Data => {
    if (typeof value !== 'object' || value === null) return value as Data;
    if (value instanceof Uint8Array) return special(value);
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) value[i] = revive(value[i]);
      return value as Data;
    }
    const object = value as Record<string, unknown>;
    for (const key of Object.keys(object)) object[key] = revive(object[key]);
    return object as Data;
  };

  // A view of its own: the codec leaves a property on the array that it is given.
  return revive(codec.unpack(bytes.subarray()));
}
