import { inflateSync } from 'node:zlib';
import { sizeOf } from '../../../flow/data.js';
import { WeirError } from '../../../flow/errors.js';
import { content, GET_AGAIN } from '../content.js';

/** A numeric matrix, in MATLAB's order: down the columns. */
export interface MatNumbers {
  readonly kind: 'numbers';
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

export interface MatText {
  readonly kind: 'text';
  readonly text: string;
}

export interface MatCells {
  readonly kind: 'cells';
  readonly shape: readonly number[];
  readonly cells: readonly MatValue[];
}

export type MatValue = MatNumbers | MatText | MatCells;

const MOST = 2 ** 28; // bytes that a file may unpack to: the lists of data sets take a few megabytes
const DEEPEST = 4;

/** Data types of elements (MAT-file format, table 1): how many bytes a value takes and how it is read. */
const numbers: { readonly [type: number]: readonly [bytes: number, read: (view: DataView, at: number) => number] } = {
  1: [1, (view, at) => view.getInt8(at)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [2, (view, at) => view.getInt16(at, true)],
  4: [2, (view, at) => view.getUint16(at, true)],
  5: [4, (view, at) => view.getInt32(at, true)],
  6: [4, (view, at) => view.getUint32(at, true)],
  7: [4, (view, at) => view.getFloat32(at, true)],
  9: [8, (view, at) => view.getFloat64(at, true)],
  16: [1, (view, at) => view.getUint8(at)], // UTF-8
  17: [2, (view, at) => view.getUint16(at, true)], // UTF-16
};
const MATRIX = 14;
const COMPRESSED = 15;
const CELL = 1;
const CHARACTERS = 4;
const NUMERIC = 6; // classes from double (6) to uint64 (15)

/**
 * The matrices of a MATLAB 5 file by name: numbers, text and cells of these; others are skipped.
 *
 * Strict: every length is checked against the element around it before memory is taken, and the file may not unpack to more than 256 MiB.
 */
export function readMat(file: string): ReadonlyMap<string, MatValue> {
  const bytes = content(file);
  const refuse = (what: string): never => {
    throw new WeirError(`'${file}' is no whole MATLAB 5 file: ${what}`, GET_AGAIN);
  };
  if (bytes.length < 128) refuse(`its header takes 128 bytes, but it has ${bytes.length}`);
  if (bytes[126] !== 0x49 || bytes[127] !== 0x4d)
    refuse('its header does not end in IM, the mark of little-endian files');
  const found = new Map<string, MatValue>();
  let unpacked = 0;

  for (const { type, data } of elements(bytes.subarray(128), 'the file')) {
    let element = { type, data };
    if (type === COMPRESSED) {
      const inside = [...elements(inflate(data), 'a compressed element')];
      if (inside.length !== 1) refuse(`a compressed element holds ${inside.length} elements, not 1`);
      element = inside[0]!;
    }
    if (element.type !== MATRIX) continue;
    const [name, value] = matrix(element.data, 0);
    if (value !== undefined) found.set(name, value);
  }
  return found;

  function inflate(data: Uint8Array): Uint8Array {
    let out: Uint8Array;
    try {
      out = inflateSync(data, { maxOutputLength: MOST - unpacked });
    } catch (cause) {
      return refuse(`a compressed element is damaged or too large (${(cause as Error).message})`);
    }
    unpacked += out.length;
    return out;
  }

  function* elements(data: Uint8Array, where: string): Generator<{ type: number; data: Uint8Array }> {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at < data.length; ) {
      if (at + 8 > data.length) refuse(`${where} ends in the middle of an element's tag`);
      const word = view.getUint32(at, true);
      const small = word >>> 16; // a small element has its length there and its data in the tag
      const [type, length, from] =
        small > 0 ? [word & 0xffff, small, at + 4] : [word, view.getUint32(at + 4, true), at + 8];
      const available = small > 0 ? 4 : data.length - from;
      if (length > available)
        refuse(`an element of type ${type} says that it takes ${length} bytes where ${where} has ${available}`);
      yield { type, data: data.subarray(from, from + length) };
      // compressed elements are not padded to 8 bytes
      at = small > 0 ? at + 8 : from + (type === COMPRESSED ? length : Math.ceil(length / 8) * 8);
    }
  }

  function matrix(data: Uint8Array, depth: number): [name: string, value: MatValue | undefined] {
    if (data.length === 0) return ['', { kind: 'numbers', shape: [0, 0], values: new Float64Array(0) }];
    if (depth > DEEPEST) refuse(`cells lie in cells ${DEEPEST} deep`);
    const parts = elements(data, 'a matrix');
    const part = (what: string) => parts.next().value ?? refuse(`a matrix has no ${what}`);
    const kind = numbersOf(part('flags'))[0]! & 0xff;
    const shape = [...numbersOf(part('dimensions'))];
    const name = textOf(numbersOf(part('name')));
    const size = sizeOf(shape);
    if (shape.length < 2 || shape.some((extent) => extent < 0) || size > data.length) {
      refuse(`matrix '${name}' says that it is ${shape.join(' x ')}, but takes ${data.length} bytes`);
    }
    if (kind === CELL) {
      const cells = Array.from({ length: size }, () => {
        const cell = part(`cell among the ${size} of '${name}'`);
        if (cell.type !== MATRIX) refuse(`a cell of '${name}' is of type ${cell.type}, not a matrix`);
        return matrix(cell.data, depth + 1)[1] ?? refuse(`a cell of '${name}' is no number, text or cell`);
      });
      return [name, { kind: 'cells', shape, cells }];
    }
    if (kind !== CHARACTERS && (kind < NUMERIC || kind > 15)) return [name, undefined];
    const values = numbersOf(part('values'));
    if (values.length !== size) refuse(`matrix '${name}' is ${shape.join(' x ')}, but holds ${values.length} values`);
    if (kind === CHARACTERS) return [name, { kind: 'text', text: textOf(values) }];
    return [name, { kind: 'numbers', shape, values }];
  }

  function numbersOf({ type, data }: { type: number; data: Uint8Array }): Float64Array {
    const [size, read] = numbers[type] ?? refuse(`numbers are of the unknown type ${type}`);
    if (data.length % size !== 0) refuse(`${data.length} bytes are no whole numbers of ${size} bytes`);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    return Float64Array.from({ length: data.length / size }, (_, i) => read(view, i * size));
  }
}

const textOf = (codes: Float64Array): string => Array.from(codes, (code) => String.fromCharCode(code)).join('');

/** The numbers called `name`, each a whole one from `least` to `most`. */
export function matIntegers(
  file: string,
  mat: ReadonlyMap<string, MatValue>,
  name: string,
  least: number,
  most: number,
): Float64Array {
  const value = mat.get(name);
  if (value?.kind !== 'numbers') throw lacks(file, mat, name, 'numbers');
  const odd = value.values.find((number) => !(Number.isInteger(number) && number >= least && number <= most));
  if (odd === undefined) return value.values;
  throw new WeirError(`'${name}' of '${file}' holds ${odd}, not whole numbers from ${least} to ${most}`, GET_AGAIN);
}

/** The texts in the cells called `name`. */
export function matTexts(file: string, mat: ReadonlyMap<string, MatValue>, name: string): string[] {
  const value = mat.get(name);
  if (value?.kind !== 'cells') throw lacks(file, mat, name, 'cells of text');
  return value.cells.map((cell) => {
    if (cell.kind === 'text') return cell.text;
    throw new WeirError(`'${name}' of '${file}' holds ${cell.kind} where text was expected`, GET_AGAIN);
  });
}

const lacks = (file: string, mat: ReadonlyMap<string, MatValue>, name: string, what: string): WeirError =>
  new WeirError(`'${file}' has no ${what} called '${name}'; it has ${[...mat.keys()].join(', ') || 'none'}`, GET_AGAIN);
