import { bytesOf, nameFrom, shownName } from './file-name.js';

/**
 * Where the images of a data set are, outside of memory: plain data on shared memory, so it costs a worker thread nothing to be told,
 * whatever the number of images.
 */
export type Images = FileImages | PackedImages;

/** Images in files of their own. */
export interface FileImages {
  readonly kind: 'files';
  /** The folder that all of them are in. */
  readonly root: string;
  /** The bytes of their paths below it, one after another, on shared memory. */
  readonly paths: Uint8Array;
  /** Where in `paths` each ends. */
  readonly ends: Uint32Array;
  /** Bytes of each file, and their CRC-32: a file that has changed since it was looked at is not silently another image. */
  readonly bytes: Float64Array;
  readonly checksums: Uint32Array;
  /** Where given, decoded so that the shorter side is this long; a JPEG is then decoded at part of its size, which is cheaper. */
  readonly shorter?: number | undefined;
}

/** Images in one file, read by position: see `pack`. */
export interface PackedImages {
  readonly kind: 'packed';
  readonly file: string;
  /** What a record holds: a file as it was, or bytes of pixels, [height, width, 3]. */
  readonly encoding: 'encoded' | 'raw';
  /** Where each record begins, how many bytes it takes, their CRC-32, and the image's size. */
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  readonly checksums: Uint32Array;
  readonly heights: Uint32Array;
  readonly widths: Uint32Array;
  readonly shorter?: number | undefined;
}

/** What an image is called in messages. */
export const nameOf = (images: Images, index: number): string =>
  images.kind === 'files' ? `'${shownName(pathOf(images, index))}'` : `record ${index} of '${images.file}'`;

/** The path of an image below the root, as `nameFrom` reads it. */
export function pathOf({ paths, ends }: FileImages, index: number): string {
  const from = index === 0 ? 0 : ends[index - 1]!;
  return nameFrom(paths.slice(from, ends[index])); // a copy: shared memory is not decoded
}

/** A line for each image, in order: the CRC-32 of what is read of it, and where it is. */
export function indexOf(images: Images): string[] {
  const place = images.kind === 'files' ? (i: number) => pathOf(images, i) : (i: number) => `record ${i}`;
  return Array.from(images.checksums, (sum, i) => `${sum.toString(16).padStart(8, '0')} ${place(i)}`);
}

/** A number for each image, in order, that another file's is hardly ever: of its CRC-32 and its length in bytes. */
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

/** A copy of an array on shared memory. */
export function shared<A extends Uint32Array | Float64Array>(array: A): A {
  const Kind = array.constructor as new (buffer: SharedArrayBuffer) => A;
  const copy = new Kind(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
}
