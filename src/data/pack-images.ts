import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { crc32 } from '../storage/crc32.js';
import { pack } from '../storage/pack.js';
import type { ImageDataset } from './feed-dataset.js';
import { HEADER, headerBytes, type Index, VERSION } from './format.js';
import { encodeJpeg, measure } from './images/decode.js';
import type { FileImages } from './images/images.js';
import { fileBytes, readImage } from './images/reader.js';

export interface PackOptions {
  /** What a record holds: pixels, which cost space and no decoding, or an encoded file. */
  readonly raw?: boolean;
  /** Resizes so that the shorter side is this long, where it is longer. */
  readonly shorter?: number;
  /** Of a JPEG that is made anew because its size changes. */
  readonly quality?: number;
  /** Told how many are done, now and then. */
  readonly progress?: (done: number) => void;
}

interface PackRecord {
  readonly bytes: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/**
 * Writes a data set of images into one file, see `format`. Files that keep their size go in as they are, to the bit.
 *
 * The file stands under its name only when it is whole and on the disk.
 *
 * @returns its size in bytes
 * @example await packImages(await imageFolder({ folder, split: 'train' }), 'train.weirpack', { raw: true, shorter: 256 });
 */
export async function packImages(dataset: ImageDataset, file: string, options: PackOptions = {}): Promise<number> {
  const { raw = false, shorter, quality = 90, progress = () => undefined } = options;
  if (shorter !== undefined && !(Number.isInteger(shorter) && shorter > 0)) {
    throw new WeirError(`the shorter side is to be ${shorter} pixels`, 'give a whole number from 1 on');
  }
  if (dataset.images.kind !== 'files') {
    throw new WeirError(`'${dataset.name}' is packed already`, 'pack the folder that it was made from');
  }
  const images: FileImages = shorter === undefined ? dataset.images : { ...dataset.images, shorter };
  const one = async (index: number): Promise<PackRecord> => {
    if (!raw && images.shorter === undefined) {
      const bytes = fileBytes(images, index);
      return { bytes, ...(await measure(bytes)) };
    }
    const image = await readImage(images, index);
    const { height, width } = image;
    return { bytes: raw ? image.values : await encodeJpeg(image, quality), height, width };
  };
  const target = resolve(file);
  const beside = `${target}.${process.pid}.tmp`;
  const { size } = dataset;
  let out: FileHandle | undefined;
  try {
    out = await open(beside, 'w');
    const index = { ...emptyIndex(dataset, raw) };
    let at = HEADER;
    const ahead = availableParallelism() + 1;
    const work: Promise<PackRecord>[] = [];
    for (let i = 0; i < size; i++) {
      while (work.length < ahead && i + work.length < size) work.push(quiet(one(i + work.length)));
      const { bytes, height, width } = await work.shift()!;
      await writeAll(out, bytes, at);
      index.offsets[i] = at;
      index.lengths[i] = bytes.length;
      index.checksums[i] = crc32(bytes);
      index.heights[i] = height;
      index.widths[i] = width;
      at += bytes.length;
      if ((i + 1) % 10_000 === 0) progress(i + 1);
    }
    const bytes = pack(index);
    await writeAll(out, bytes, at);
    const header = headerBytes({ version: VERSION, at, length: bytes.length, checksum: crc32(bytes) });
    await writeAll(out, header, 0);
    await out.sync();
    await out.close();
    out = undefined;
    await rename(beside, target);
    return at + bytes.length;
  } catch (cause) {
    await out?.close();
    await rm(beside, { force: true });
    if (cause instanceof WeirError) throw cause;
    throw new WeirError(`'${target}' cannot be written: ${(cause as Error).message}`, 'see to the disk and its room', {
      cause,
    });
  }
}

/** A disk that is nearly full may take a part of what it is given. */
async function writeAll(out: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await out.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

/** A promise whose failure waits until somebody asks. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

const emptyIndex = ({ name, classes, labels, size }: ImageDataset, raw: boolean): Index => ({
  name,
  classes: [...classes],
  encoding: raw ? 'raw' : 'encoded',
  labels: labels.slice(),
  offsets: new Float64Array(size),
  lengths: new Uint32Array(size),
  checksums: new Uint32Array(size),
  heights: new Uint32Array(size),
  widths: new Uint32Array(size),
});
