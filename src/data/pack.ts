import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { type Data, isRecord } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { checkOptions, checkUnused } from '../flow/options.js';
import { pack, unpack } from '../storage/codec.js';
import { crc32 } from '../storage/digest.js';
import { AtomicFile, diskProblem } from '../storage/disk.js';
import type { ImageDataset } from './dataset.js';
import { encodeJpeg, measure } from './images/decoder.js';
import { type FileImages, fileBytes, readImage, shared } from './images/reader.js';
import { distinctNames, sharedLabels } from './sample-check.js';

/**
 * A pack: the images of a data set in one file.
 *
 *   0            header: magic, format version, offset, length and CRC-32 of the index, and the header's own CRC-32
 *   64           records one after another: unchanged files, or pixels as bytes
 *   index.at     the index (msgpack): names, labels, and the offset, length, CRC-32, height and width of each record
 *
 * A record is read by its offset, so memory holds the index alone, and the system's page cache serves all threads and processes.
 */
export const MAGIC = 'weirpack';
export const VERSION = 1;
export const HEADER = 64;

export interface PackHeader {
  readonly version: number;
  readonly at: number;
  readonly length: number;
  readonly checksum: number;
}

export function headerBytes({ version, at, length, checksum }: PackHeader): Uint8Array {
  const bytes = Buffer.alloc(HEADER);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(version, 8);
  bytes.writeDoubleLE(at, 16);
  bytes.writeDoubleLE(length, 24);
  bytes.writeUInt32LE(checksum, 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER - 4)), HEADER - 4);
  return bytes;
}

/** The fields of a header, or what is wrong with it. */
export function headerOf(bytes: Buffer): PackHeader | string {
  if (bytes.length < HEADER || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return 'is no pack of images';
  if (bytes.readUInt32LE(HEADER - 4) !== crc32(bytes.subarray(0, HEADER - 4))) {
    return 'has an altered header, or weir pack was stopped before it was done';
  }
  return {
    version: bytes.readUInt32LE(8),
    at: bytes.readDoubleLE(16),
    length: bytes.readDoubleLE(24),
    checksum: bytes.readUInt32LE(32),
  };
}

/** The index as it is stored. */
export type PackIndex = {
  readonly name: string;
  readonly classes: readonly string[];
  readonly encoding: 'encoded' | 'raw';
  readonly labels: Uint8Array | Uint16Array;
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  readonly checksums: Uint32Array;
  readonly heights: Uint32Array;
  readonly widths: Uint32Array;
} & { readonly [key: string]: Data };

/** Whether data is an index of records that lie before `end`. A right checksum does not show that Weir wrote the file. */
function isIndex(data: Data, end: number): data is PackIndex {
  if (!isRecord(data)) return false;
  const { name, classes, encoding, labels, offsets, lengths, checksums, heights, widths } = data as Partial<PackIndex>;
  if (typeof name !== 'string' || (encoding !== 'raw' && encoding !== 'encoded')) return false;
  if (!Array.isArray(classes) || !classes.every((one) => typeof one === 'string')) return false;
  if (!(labels instanceof Uint8Array || labels instanceof Uint16Array) || !(offsets instanceof Float64Array))
    return false;
  const counts = [lengths, checksums, heights, widths];
  if (!counts.every((array) => array instanceof Uint32Array && array.length === labels.length)) return false;
  return (
    offsets.length === labels.length &&
    labels.every((label) => label < classes.length) &&
    offsets.every((offset, i) => Number.isSafeInteger(offset) && offset >= HEADER && offset + lengths![i]! <= end) &&
    (encoding !== 'raw' || lengths!.every((length, i) => length === heights![i]! * widths![i]! * 3))
  );
}

const PACK_AGAIN = 'make the file again with weir pack';

/**
 * The data set in a file that `weir pack` wrote. Only its index is read now; each record's checksum is verified when it is read.
 *
 * With WEIR_READ_ALL every record is read now, and its checksum verified.
 *
 * @throws {WeirError} for a file that is truncated, altered or of another format, by name and with what is wrong
 * @example const train = packed('imagenet-train.weirpack');
 */
export function packed(file: string): ImageDataset {
  const path = resolve(file);
  const index = readIndex(path);
  const { offsets, lengths, checksums, heights, widths, labels, encoding } = index;
  const classes = distinctNames({ of: path, names: index.classes }, PACK_AGAIN);
  const size = labels.length;
  const onShared = sharedLabels(classes.length, size);
  onShared.set(labels);
  return {
    name: `${index.name} (packed)`,
    size,
    sampleShape: [0, 0, 3],
    classes,
    labels: onShared,
    images: {
      kind: 'packed',
      file: path,
      encoding,
      offsets: shared(offsets),
      lengths: shared(lengths),
      checksums: shared(checksums),
      heights: shared(heights),
      widths: shared(widths),
    },
  };
}

function readIndex(path: string): PackIndex {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (cause) {
    throw new WeirError(`'${path}' cannot be read: ${(cause as Error).message}`, 'give a file that weir pack wrote', {
      cause,
    });
  }
  try {
    const take = (length: number, at: number): Buffer => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, at));
    };
    const header = headerOf(take(HEADER, 0));
    if (typeof header === 'string') throw new WeirError(`'${path}' ${header}`, PACK_AGAIN);
    if (header.version !== VERSION) {
      throw new WeirError(`'${path}' is a pack of format ${header.version}; this Weir reads ${VERSION}`, PACK_AGAIN);
    }
    const { size } = fstatSync(descriptor);
    const whole = [header.at, header.length].every((number) => Number.isSafeInteger(number) && number >= 0);
    if (!whole || header.at < HEADER) throw new WeirError(`'${path}' has an index outside of the file`, PACK_AGAIN);
    if (size !== header.at + header.length) {
      throw new WeirError(
        `'${path}' is ${size < header.at + header.length ? 'cut short' : 'too long'}: it takes ${header.at + header.length} bytes, but has ${size}`,
        PACK_AGAIN,
      );
    }
    const bytes = take(header.length, header.at);
    if (crc32(bytes) !== header.checksum) throw new WeirError(`the index of '${path}' was altered`, PACK_AGAIN);
    const index = checkedIndex(unpack(bytes), header.at, path);
    if (process.env.WEIR_READ_ALL) verifyRecords(index, take, path);
    return index;
  } finally {
    closeSync(descriptor);
  }
}

function verifyRecords(
  { offsets, lengths, checksums }: PackIndex,
  take: (length: number, at: number) => Buffer,
  path: string,
): void {
  const odd = checksums.findIndex((sum, i) => crc32(take(lengths[i]!, offsets[i]!)) !== sum);
  if (odd >= 0) throw new WeirError(`record ${odd} of '${path}' was altered`, PACK_AGAIN);
}

function checkedIndex(data: Data, end: number, path: string): PackIndex {
  if (isIndex(data, end)) return data;
  throw new WeirError(`'${path}' has an index that does not fit its records`, PACK_AGAIN);
}

export interface PackOptions {
  /** Records hold pixels, which take space and no decoding, instead of encoded files. */
  readonly raw?: boolean;
  /** Pixels of the shorter side, to which larger images are resized. */
  readonly shorter?: number;
  /** Quality of a JPEG that is encoded anew because its size changes; 90 by default. */
  readonly quality?: number;
  /** Called with the number of images done, every 10,000 of them. */
  readonly progress?: (done: number) => void;
}

interface PackRecord {
  readonly bytes: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/**
 * Writes a data set of images into one file. Files that keep their size go in unchanged.
 *
 * The file stands under its name only when it is whole and on the disk.
 *
 * @returns its size in bytes
 * @example await packImages(await imageFolder({ folder: 'imagenet', split: 'train' }), 'train.weirpack', { raw: true, shorter: 256 });
 */
export async function packImages(dataset: ImageDataset, file: string, options: PackOptions = {}): Promise<number> {
  checkOptions('packImages', options, {
    raw: 'optional',
    shorter: 'optional',
    quality: 'optional',
    progress: 'optional',
  });
  if (options.raw) checkUnused('packImages', options, ['quality'], 'raw records are no JPEG');
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
  const { size } = dataset;
  let out: AtomicFile | undefined;
  try {
    out = new AtomicFile(target);
    const index = { ...emptyIndex(dataset, raw) };
    let at = HEADER;
    const ahead = availableParallelism() + 1;
    const work: Promise<PackRecord>[] = [];
    for (let i = 0; i < size; i++) {
      while (work.length < ahead && i + work.length < size) work.push(quiet(one(i + work.length)));
      const { bytes, height, width } = await work.shift()!;
      out.write(bytes, at);
      index.offsets[i] = at;
      index.lengths[i] = bytes.length;
      index.checksums[i] = crc32(bytes);
      index.heights[i] = height;
      index.widths[i] = width;
      at += bytes.length;
      if ((i + 1) % 10_000 === 0) progress(i + 1);
    }
    const bytes = pack(index);
    out.write(bytes, at);
    const header = headerBytes({ version: VERSION, at, length: bytes.length, checksum: crc32(bytes) });
    out.write(header, 0);
    out.commit();
    return at + bytes.length;
  } catch (cause) {
    out?.abandon();
    if (cause instanceof WeirError) throw cause;
    throw new WeirError(`cannot write ${target}: ${diskProblem(cause).reason}`, 'check the disk and its free space', {
      cause,
    });
  }
}

/** A promise whose failure waits until it is awaited. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

const emptyIndex = ({ name, classes, labels, size }: ImageDataset, raw: boolean): PackIndex => ({
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
