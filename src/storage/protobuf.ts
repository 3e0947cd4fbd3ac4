/**
 * Fields of a protobuf message, to be put one after another (https://protobuf.dev/programming-guides/encoding). So little of it that
 * event files and ONNX need no library; what a reader takes as the default anyway may be left out.
 */
export type ProtobufFields = Uint8Array;

const VARINT = 0;
const EIGHT_BYTES = 1;
const LENGTH = 2;
const FOUR_BYTES = 5;

/** A whole number from 0 to 2^53 - 1; also a flag or an enum. */
export const integer = (field: number, value: number): ProtobufFields => joined(tag(field, VARINT), varint(value));

export function double(field: number, value: number): ProtobufFields {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return joined(tag(field, EIGHT_BYTES), bytes);
}

export function float(field: number, value: number): ProtobufFields {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return joined(tag(field, FOUR_BYTES), bytes);
}

/** Bytes, and what is stored as bytes: text, and messages. */
export const bytes = (field: number, ...parts: readonly Uint8Array[]): ProtobufFields => {
  const value = joined(...parts);
  return joined(tag(field, LENGTH), varint(value.length), value);
};

/** A message of parts that are not copied: its head, and the parts behind it. */
export const message = (field: number, parts: readonly Uint8Array[]): ProtobufFields[] => [
  joined(tag(field, LENGTH), varint(parts.reduce((sum, { length }) => sum + length, 0))),
  ...parts,
];

export const text = (field: number, value: string): ProtobufFields => bytes(field, Buffer.from(value));

/** Repeated doubles, packed. */
export function doubles(field: number, values: readonly number[]): ProtobufFields {
  const packed = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) packed.writeDoubleLE(value, 8 * i);
  return bytes(field, packed);
}

export const joined = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

const tag = (field: number, type: number): Uint8Array => varint(8 * field + type);

function varint(value: number): Uint8Array {
  const digits: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push(128 + (rest % 128));
  digits.push(rest);
  return Uint8Array.from(digits);
}
