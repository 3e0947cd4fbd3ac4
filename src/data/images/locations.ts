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
