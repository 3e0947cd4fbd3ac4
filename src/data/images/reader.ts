import { openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { WeirError } from '../../flow/errors.js';
import { crc32 } from '../../storage/digest.js';
import { decode, isPlainJpeg, plainDecoder } from './decoder.js';
import type { Image } from './image.js';
import { type FileImages, type Images, nameOf, type PackedImages, pathFor, pathOf } from './locations.js';

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
