import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { sizeOf } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkOptions, checkUnused } from '../../flow/options.js';
import { type DataDescription, datasetOf, nameOfFile } from '../arrays.js';
import type { Dataset } from '../dataset.js';
import { content } from './content.js';

/** An array as NumPy wrote it, in C's order whatever the file's. */
export interface NumpyArray {
  readonly shape: readonly number[];
  /** Bytes where they are uint8, text where they are, else numbers. */
  readonly values: Uint8Array | Float32Array | Float64Array | readonly string[];
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
const WRITE_AGAIN = 'write it again with numpy.save, as an array of numbers or of text';

/** Bytes of an item, and how one is read. Integers of eight bytes are read as the nearest number. */
const kinds: Readonly<
  Record<string, readonly [bytes: number, read: (view: DataView, at: number, little: boolean) => number]>
> = {
  b1: [1, (view, at) => view.getUint8(at)],
  u1: [1, (view, at) => view.getUint8(at)],
  i1: [1, (view, at) => view.getInt8(at)],
  u2: [2, (view, at, little) => view.getUint16(at, little)],
  i2: [2, (view, at, little) => view.getInt16(at, little)],
  u4: [4, (view, at, little) => view.getUint32(at, little)],
  i4: [4, (view, at, little) => view.getInt32(at, little)],
  u8: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
  i8: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  f2: [2, (view, at, little) => half(view.getUint16(at, little))],
  f4: [4, (view, at, little) => view.getFloat32(at, little)],
  f8: [8, (view, at, little) => view.getFloat64(at, little)],
};

/** The number that 16 bits of IEEE 754 stand for. */
function half(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/**
 * Reads the bytes of a `.npy` file, versions 1 to 3 (NumPy, "A simple file format for NumPy arrays", NEP 1).
 *
 * @param file its name, for messages
 * @throws {WeirError} for bytes that are no such file, that are cut short, or that hold neither numbers nor text
 */
export function numpyArray(bytes: Uint8Array, file: string): NumpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || MAGIC.compare(bytes, 0, MAGIC.length) !== 0) {
    throw new WeirError(`'${file}' is no .npy file: it does not begin as one`, WRITE_AGAIN);
  }
  const long = bytes[6]! > 1;
  const begin = long ? 12 : 10;
  const end = begin + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = end <= bytes.length ? Buffer.from(bytes.subarray(begin, end)).toString() : '';
  const [, descr] = /'descr': *'([^']*)'/.exec(header) ?? [];
  const [, order] = /'fortran_order': *(True|False)/.exec(header) ?? [];
  const [, extents] = /'shape': *\(([\d, ]*)\)/.exec(header) ?? [];
  if (descr === undefined || order === undefined || extents === undefined) {
    const found = header.trim().slice(0, 120) || 'nothing';
    throw new WeirError(`the header of '${file}' tells no type and shape of one array: ${found}`, WRITE_AGAIN);
  }
  const shape = extents.split(',').flatMap((text) => (text.trim() === '' ? [] : [Number(text)]));
  const [, sign, kind, width] = /^([<>|=]?)([a-zA-Z])(\d+)$/.exec(descr) ?? [];
  const little = sign !== '>';
  const text = kind === 'U' || kind === 'S';
  const known = kinds[`${kind}${width}`];
  const size = kind === 'U' ? 4 * Number(width) : kind === 'S' ? Number(width) : known?.[0];
  if (size === undefined || size === 0) {
    throw new WeirError(
      `'${file}' holds items of type '${descr}'`,
      'save it as float32, uint8, another kind of numbers, or text',
    );
  }
  const count = sizeOf(shape);
  if (bytes.length !== end + count * size) {
    throw new WeirError(
      `'${file}' has ${bytes.length - end} bytes of items, and shape (${shape.join(', ')}) of type '${descr}' has ${count * size}`,
      bytes.length < end + count * size ? 'it is cut short: copy it again' : WRITE_AGAIN,
    );
  }
  const places = order === 'True' ? fortranPlaces(shape) : (i: number) => i;
  const at = (i: number): number => end + size * places(i);
  if (text) {
    return {
      shape,
      values: Array.from({ length: count }, (_, i) => {
        const found = textAt(bytes.subarray(at(i), at(i) + size), kind, little);
        if (found !== undefined) return found;
        throw new WeirError(
          `'${file}', item ${i}: there are bytes that are not ${kind === 'U' ? 'UTF-32' : 'UTF-8'}`,
          "save it as text: numpy.char.decode(array, 'latin1'), say",
        );
      }),
    };
  }
  const [, read] = known!;
  const values = new (
    kind === 'u' && size === 1 ? Uint8Array : kind === 'f' && size <= 4 ? Float32Array : Float64Array
  )(count);
  for (let i = 0; i < count; i++) values[i] = read(view, at(i), little);
  return { shape, values };
}

/** Text of fixed length, filled up with zeros: UTF-32, or UTF-8 in bytes. Undefined for what is neither. */
function textAt(bytes: Uint8Array, kind: string, little: boolean): string | undefined {
  if (kind === 'S') return isUtf8(bytes) ? Buffer.from(bytes).toString().replace(/\0+$/, '') : undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let found = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const point = view.getUint32(at, little);
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return undefined;
    found += String.fromCodePoint(point);
  }
  return found.replace(/\0+$/, '');
}

/** The place in Fortran's order (the first axis fastest) of the i-th item in C's order. */
function fortranPlaces(shape: readonly number[]): (i: number) => number {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  return (i) => {
    let left = i;
    let offset = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += (left % shape[axis]!) * strides[axis]!;
      left = Math.floor(left / shape[axis]!);
    }
    return offset;
  };
}

export interface NpyOptions extends DataDescription {
  /** Names of the arrays in a `.npz` file; by default `x` and `y`. */
  readonly members?: { readonly values: string; readonly labels: string };
}

/**
 * A data set from NumPy's files: samples [size, ...sampleShape], and a label for each, as whole numbers from 0 on or as text.
 *
 * Arrays of uint8 are pixels 0 to 255; all other numbers become float32. Files may be packed with gzip.
 *
 * @param from a `.npz` file, or two `.npy` files
 * @throws {WeirError} that names the file, and its array
 * @example
 * const digits = await npy({ values: 'images.npy', labels: 'labels.npy' }, { sampleShape: [8, 8, 1], classes: 10 });
 * const flowers = await npy('flowers.npz', { members: { values: 'x_train', labels: 'y_train' }, box: 'observed' });
 */
export async function npy(
  from: string | { readonly values: string; readonly labels: string },
  options: NpyOptions = {},
): Promise<Dataset> {
  if (typeof from !== 'string') checkOptions('npy', from, { values: 'required', labels: 'required' });
  const { members = { values: 'x', labels: 'y' }, ...about } = checkOptions('npy', options, {
    members: 'optional',
    classes: 'optional',
    sampleShape: 'optional',
    box: 'optional',
    name: 'optional',
  });
  if (typeof from !== 'string') checkUnused('npy', options, ['members'], 'two .npy files have none');
  const [values, labels] =
    typeof from === 'string'
      ? await npzMembers(from, [members.values, members.labels])
      : [from.values, from.labels].map((file) => ({ file: `'${file}'`, ...numpyArray(content(file), file) }));
  const { name = nameOfFile(typeof from === 'string' ? from : from.values) } = about;
  if (labels!.shape.length !== 1 || values!.shape[0] !== labels!.shape[0] || values!.shape.length < 2) {
    throw new WeirError(
      `the samples in ${values!.file} have the shape (${values!.shape.join(', ')}), and the labels in ${labels!.file} (${labels!.shape.join(', ')})`,
      'give samples of shape (size, …), each with one label: (size,)',
    );
  }
  if (Array.isArray(values!.values)) {
    throw new WeirError(`the samples in ${values!.file} are text`, 'give numbers');
  }
  const files = typeof from === 'string' ? `'${from}'` : `'${from.values}', '${from.labels}'`;
  return datasetOf(files, {
    sampleShape: values!.shape.slice(1),
    ...about,
    name,
    values: values!.values as ArrayLike<number>,
    labels: labels!.values,
  });
}

/** Times the size of a `.npz` file that an array in it may have: more than packed numbers ever have. */
const MOST_TIMES = 1100;

async function npzMembers(file: string, names: readonly string[]): Promise<(NumpyArray & { readonly file: string })[]> {
  let zip: ZipFile | undefined;
  try {
    zip = await openPromise(file);
    const found = new Map<string, NumpyArray>();
    const others: string[] = [];
    for await (const entry of zip.eachEntry()) {
      const member = entry.fileName.replace(/\.npy$/, '');
      others.push(member);
      if (names.includes(member)) found.set(member, numpyArray(await unpacked(zip, entry), `${file}: ${member}`));
    }
    return names.map((name) => {
      const array = found.get(name);
      if (array !== undefined) return { ...array, file: `'${file}: ${name}'` };
      throw new WeirError(
        `'${file}' has no array '${name}': it has ${others.join(', ') || 'none'}`,
        "say which to take: { members: { values: 'x', labels: 'y' } }",
      );
    });
  } catch (cause) {
    if (cause instanceof WeirError) throw cause;
    throw new WeirError(
      `'${file}' cannot be read as .npz: ${(cause as Error).message}`,
      'check that it is there and whole, and write it again with numpy.savez if it is not',
      { cause },
    );
  } finally {
    zip?.close();
  }
}

async function unpacked(zip: ZipFile, entry: Entry): Promise<Uint8Array> {
  if (entry.uncompressedSize > MOST_TIMES * Math.max(entry.compressedSize, 1024)) {
    throw new Error(`'${entry.fileName}' would unpack to ${entry.uncompressedSize} bytes`);
  }
  return buffer((await zip.openReadStreamPromise(entry)) as Readable);
}
