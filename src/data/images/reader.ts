import { openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { WeirError } from '../../flow/errors.js';
import { crc32 } from '../../storage/digest.js';
import { decode, isPlainJpeg, plainDecoder } from './decoder.js';
import type { Image } from './image.js';
import { type FileImages, type Images, nameOf, type PackedImages, pathFor, pathOf } from './locations.js';

/**
 * One image, read and decoded, beside this thread. Pixels that a pack holds as they are stay good until the next is read in this thread.
 *
 * @throws {WeirError} that names it where it is gone, has changed since the data set was made, or does not decode
 */
export async function readImage(images: Images, index: number): Promise<Image> {
  return isRaw(images) ? rawImage(images, index) : decodedImage(images, index, encodedBytes(images, index));
}

/**
 * Begins to read one image, as far as it is done beside this thread: a JPEG as most are is decoded here, and what is decoded elsewhere is
 * on its way by then. What is returned ends it: its pixels stay good until another image is ended in this thread.
 *
 * @throws {WeirError} that names it, now or at the end
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

/** Pixels that a pack holds as they are. */
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
      'take it out of the folder, or mend it',
      { cause },
    );
  }
}

/** What a library says of an image, without what it says of itself. */
export const firstLine = (cause: unknown): string => ((cause as Error).message ?? String(cause)).trim().split('\n')[0]!;

/** One image's file, once it is sure that it is the one that was looked at. */
export function fileBytes(images: FileImages, index: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(pathFor(join(images.root, pathOf(images, index))));
  } catch (cause) {
    const gone = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new WeirError(
      gone
        ? `${nameOf(images, index)} has vanished from '${images.root}' since the folder was looked at`
        : `${nameOf(images, index)} of '${images.root}' cannot be read: ${firstLine(cause)}`,
      gone ? 'put it back and resume; a folder that is trained on must not change' : 'see to the disk and resume',
      { cause },
    );
  }
  if (bytes.length !== images.bytes[index] || crc32(bytes) !== images.checksums[index]) {
    throw new WeirError(
      `${nameOf(images, index)} of '${images.root}' has changed since the folder was looked at`,
      'put the old file back and resume, or start a new run',
    );
  }
  return bytes;
}

/** One descriptor a thread and file: reads are by position, and the pages are everybody's. */
const open = new Map<string, number>();

/** Where pixels are read to, one image after another: memory that is new each time costs as much as the reading. */
let scratch = new Uint8Array(0);

function readBuffer(length: number, again: boolean): Uint8Array {
  if (!again) return new Uint8Array(length); // a decoder holds on to it
  if (scratch.length < length) scratch = new Uint8Array(length);
  return scratch.subarray(0, length);
}

function fromPack(images: PackedImages, index: number): Uint8Array {
  const { file } = images;
  const bytes = readBuffer(images.lengths[index]!, images.encoding === 'raw');
  let got = 0;
  try {
    let descriptor = open.get(file);
    if (descriptor === undefined) {
      descriptor = openSync(file, 'r');
      open.set(file, descriptor);
    }
    got = readSync(descriptor, bytes, 0, bytes.length, images.offsets[index]!);
  } catch (cause) {
    throw new WeirError(`${nameOf(images, index)} cannot be read: ${firstLine(cause)}`, 'see to the disk and resume', {
      cause,
    });
  }
  if (got === bytes.length && crc32(bytes) === images.checksums[index]) return bytes;
  throw new WeirError(
    `${nameOf(images, index)} ${got < bytes.length ? 'is cut short' : 'was altered: its checksum is another'}`,
    'make the file again with weir pack',
  );
}
