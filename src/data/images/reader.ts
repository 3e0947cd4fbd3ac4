import { openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { WeirError } from '../../flow/errors.js';
import { crc32 } from '../../storage/digest.js';
import { decode, isPlainJpeg, plainDecoder } from './decoder.js';
import type { Image } from './image.js';

/**
 * File names whose bytes are no UTF-8, such as those of an archive made in Latin-1.
 *
 * Names on Linux are bytes. In text, a byte that is no UTF-8 becomes one of the lone surrogates U+DC80 to U+DCFF, as with Python's
 * `surrogateescape`. `pathFor` turns the text back into bytes for the file system.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LONE = /\p{Surrogate}/gu; // a pair is one character of another kind

/** The text of a name. */
export function nameFrom(bytes: Uint8Array): string {
  const whole = decoded(bytes);
  if (whole !== undefined) return whole;
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((length) => decoded(bytes.subarray(at, at + length)) !== undefined);
    text += length === undefined ? String.fromCharCode(0xdc00 + bytes[at]!) : decoded(bytes.subarray(at, at + length))!;
    at += length ?? 1;
  }
  return text;
}

/** A path of `nameFrom`'s texts, in the form for the file system. */
export const pathFor = (path: string): string | Buffer => (path.search(LONE) < 0 ? path : bytesOf(path));

/** The bytes of a name, or of a path. */
export function bytesOf(path: string): Buffer {
  if (path.search(LONE) < 0) return Buffer.from(path);
  return Buffer.concat(
    Array.from(path, (one) => {
      const code = one.charCodeAt(0);
      return one.length === 1 && code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(one);
    }),
  );
}

/** A name or path for messages: a byte that is no UTF-8 reads `\xe9`. */
export const shownName = (path: string): string =>
  path.replace(LONE, (one) => `\\x${(one.charCodeAt(0) & 0xff).toString(16)}`);

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return bytes.length === 0 ? undefined : strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * The locations of a data set's images outside of memory: plain data on shared memory, so that passing them to a worker thread costs nothing,
 * whatever their number.
 */
export type Images = FileImages | PackedImages;

/** Images in files of their own. */
export interface FileImages {
  readonly kind: 'files';
  /** The folder that all of them are in. */
  readonly root: string;
  /** The bytes of their paths below it, one after another, on shared memory. */
  readonly paths: Uint8Array;
  /** End of each path in `paths`. */
  readonly ends: Uint32Array;
  /** Length of each file, and its CRC-32, so that a file that has changed is not taken for the image. */
  readonly bytes: Float64Array;
  readonly checksums: Uint32Array;
  /** Pixels of the shorter side to which images are decoded. A JPEG is then decoded at a part of its size, which is cheaper. */
  readonly shorter?: number | undefined;
}

/** Images in one file, read by offset: see `pack.ts`. */
export interface PackedImages {
  readonly kind: 'packed';
  readonly file: string;
  /** Records are unchanged files, or bytes of pixels, [height, width, 3]. */
  readonly encoding: 'encoded' | 'raw';
  /** Offset, length in bytes and CRC-32 of each record, and the size of its image. */
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  readonly checksums: Uint32Array;
  readonly heights: Uint32Array;
  readonly widths: Uint32Array;
  readonly shorter?: number | undefined;
}

/** The name of an image in messages. */
export const nameOf = (images: Images, index: number): string =>
  images.kind === 'files' ? `'${shownName(pathOf(images, index))}'` : `record ${index} of '${images.file}'`;

/** The path of an image below the root, as `nameFrom` reads it. */
export function pathOf({ paths, ends }: FileImages, index: number): string {
  const from = index === 0 ? 0 : ends[index - 1]!;
  return nameFrom(paths.slice(from, ends[index])); // a copy: shared memory is not decoded
}

/** A line for each image, in order: the CRC-32 of its bytes, and its path or record. */
export function indexOf(images: Images): string[] {
  const locationOf = images.kind === 'files' ? (i: number) => pathOf(images, i) : (i: number) => `record ${i}`;
  return Array.from(images.checksums, (sum, i) => `${sum.toString(16).padStart(8, '0')} ${locationOf(i)}`);
}

/** A number for each image, in order, by which the same file is found again: its CRC-32 and its length in bytes. */
export function marksOf(images: Images): Float64Array {
  const lengths = images.kind === 'files' ? images.bytes : images.lengths;
  return Float64Array.from(images.checksums, (sum, i) => sum * 2 ** 21 + (lengths[i]! % 2 ** 21));
}

/** Paths on shared memory. */
export function sharedPaths(paths: readonly string[]): Pick<FileImages, 'paths' | 'ends'> {
  const ends = new Uint32Array(new SharedArrayBuffer(4 * paths.length));
  let length = 0;
  for (const [i, path] of paths.entries()) {
    length += bytesOf(path).length;
    ends[i] = length;
  }
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  for (const [i, path] of paths.entries()) bytes.set(bytesOf(path), i === 0 ? 0 : ends[i - 1]!);
  return { paths: bytes, ends };
}

/** The images at `indices`, as images of their own. */
export function imagesAt(images: Images, indices: Uint32Array): Images {
  const at = <A extends Uint32Array | Float64Array>(all: A): A => {
    const own = new (all.constructor as new (length: number) => A)(indices.length);
    for (const [to, from] of indices.entries()) own[to] = all[from]!;
    return shared(own);
  };
  const checksums = at(images.checksums);
  if (images.kind === 'files') {
    const paths = sharedPaths(Array.from(indices, (index) => pathOf(images, index)));
    return { ...images, ...paths, checksums, bytes: at(images.bytes) };
  }
  const { offsets, lengths, heights, widths } = images;
  const sizes = { heights: at(heights), widths: at(widths) };
  return { ...images, checksums, offsets: at(offsets), lengths: at(lengths), ...sizes };
}

/** A copy of an array on shared memory. */
export function shared<A extends Uint32Array | Float64Array>(array: A): A {
  const Kind = array.constructor as new (buffer: SharedArrayBuffer) => A;
  const copy = new Kind(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
}

/**
 * Reads and decodes one image, beside this thread. Raw pixels of a pack are valid until the next image is read in this thread.
 *
 * @throws {WeirError} that names an image which is gone, has changed since the data set was made, or does not decode
 */
export async function readImage(images: Images, index: number): Promise<Image> {
  return isRaw(images) ? rawImage(images, index) : decodedImage(images, index, encodedBytes(images, index));
}

/**
 * Begins to read one image. The returned function finishes it: a plain JPEG is decoded then, in this thread; other images are being decoded
 * on a thread of libuv meanwhile. Pixels are valid until another image is finished in this thread.
 *
 * @throws {WeirError} that names the image, now or at the end
 */
export async function beginImage(images: Images, index: number): Promise<() => Promise<Image>> {
  if (isRaw(images)) return async () => rawImage(images, index);
  const bytes = encodedBytes(images, index);
  if (images.shorter !== undefined || !isPlainJpeg(bytes)) {
    const image = decodedImage(images, index, bytes);
    image.catch(() => undefined); // thrown when its turn comes
    return () => image;
  }
  const decodePlain = await plainDecoder();
  return async () => decodePlain(bytes) ?? decodedImage(images, index, bytes);
}

const isRaw = (images: Images): images is PackedImages => images.kind === 'packed' && images.encoding === 'raw';

const encodedBytes = (images: Images, index: number): Uint8Array =>
  images.kind === 'files' ? fileBytes(images, index) : fromPack(images, index);

/** An image of a pack of raw pixels. */
const rawImage = (images: PackedImages, index: number): Image => ({
  height: images.heights[index]!,
  width: images.widths[index]!,
  channels: 3,
  values: fromPack(images, index),
});

async function decodedImage(images: Images, index: number, bytes: Uint8Array): Promise<Image> {
  try {
    return await decode(bytes, images);
  } catch (cause) {
    throw new WeirError(
      `${nameOf(images, index)} cannot be decoded: ${firstLine(cause)}`,
      'remove it from the folder, or repair it',
      { cause },
    );
  }
}

/** The first line of a library's message; the others are about the library. */
export const firstLine = (cause: unknown): string => ((cause as Error).message ?? String(cause)).trim().split('\n')[0]!;

/** The bytes of one image's file, checked against the length and checksum of the data set. */
export function fileBytes(images: FileImages, index: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(pathFor(join(images.root, pathOf(images, index))));
  } catch (cause) {
    const gone = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new WeirError(
      gone
        ? `${nameOf(images, index)} has vanished from '${images.root}' since the folder was read`
        : `${nameOf(images, index)} of '${images.root}' cannot be read: ${firstLine(cause)}`,
      gone ? 'put it back and resume; a folder that is trained on must not change' : 'check the disk and resume',
      { cause },
    );
  }
  if (bytes.length !== images.bytes[index] || crc32(bytes) !== images.checksums[index]) {
    throw new WeirError(
      `${nameOf(images, index)} of '${images.root}' has changed since the folder was read`,
      'put the old file back and resume, or start a new run',
    );
  }
  return bytes;
}

/** One descriptor for each thread and file; reads are by offset. */
const open = new Map<string, number>();

/** Memory that raw pixels are read into, one image after another: new memory for each costs as much as the reading. */
let scratch = new Uint8Array(0);

function readBuffer(length: number, reuse: boolean): Uint8Array {
  if (!reuse) return new Uint8Array(length); // a decoder refers to it later
  if (scratch.length < length) scratch = new Uint8Array(length);
  return scratch.subarray(0, length);
}

function fromPack(images: PackedImages, index: number): Uint8Array {
  const { file } = images;
  const bytes = readBuffer(images.lengths[index]!, images.encoding === 'raw');
  let count = 0;
  try {
    let descriptor = open.get(file);
    if (descriptor === undefined) {
      descriptor = openSync(file, 'r');
      open.set(file, descriptor);
    }
    count = readSync(descriptor, bytes, 0, bytes.length, images.offsets[index]!);
  } catch (cause) {
    throw new WeirError(`${nameOf(images, index)} cannot be read: ${firstLine(cause)}`, 'check the disk and resume', {
      cause,
    });
  }
  if (count === bytes.length && crc32(bytes) === images.checksums[index]) return bytes;
  throw new WeirError(
    `${nameOf(images, index)} ${count < bytes.length ? 'is cut short' : 'was altered: its checksum differs'}`,
    'make the file again with weir pack',
  );
}
