import { endianness } from 'node:os';
import type { TypedArray } from '../flow/data.js';
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
