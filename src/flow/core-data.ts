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

/** Plain data: what a snapshot, a recording or a tap holds. Never a function, a tensor or a class instance. */
export type Data =
  | null
  | undefined
  | boolean
  | number
  | string
  | TypedArray
  | readonly Data[]
  | { readonly [key: string]: Data };
