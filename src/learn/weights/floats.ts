/** Bytes a number of each type that a safetensors file may hold. */
export const sizes: Readonly<Record<string, number>> = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 },
};

/** The types that weights are read from. */
const floatTypes = ['F64', 'F32', 'F16', 'BF16'] as const;

export type FloatType = (typeof floatTypes)[number];

export const isFloatType = (type: string): type is FloatType => floatTypes.some((one) => one === type);

/** Little-endian numbers as float32: exactly those of F16 and BF16, the nearest ones of F64 (infinity beyond 3.4e38). */
export function asFloat32(type: FloatType, bytes: Uint8Array): Float32Array {
  const own = new Uint8Array(bytes).buffer; // a copy, at an offset that any type may begin at
  if (type === 'F32') return new Float32Array(own);
  if (type === 'F64') return Float32Array.from(new Float64Array(own));
  const halves = new Uint16Array(own);
  if (type === 'F16') return Float32Array.from(halves, fromHalf);
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16; // the upper half of a float32
  return new Float32Array(bits.buffer);
}

/** A number of IEEE 754's binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
