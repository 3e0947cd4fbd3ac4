import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Data } from '../flow/core-data.js';
import { WeirError } from '../flow/errors.js';
import { crc32 } from '../storage/crc32.js';
import { unpack } from '../storage/pack.js';
import { distinctNames } from './core-class-names.js';
import type { ImageDataset } from './feed-dataset.js';
import { isIndex } from './fits.js';
import { HEADER, headerOf, type Index, VERSION } from './format.js';
import { shared } from './images/images.js';
import { sharedLabels } from './labels.js';

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

function readIndex(path: string): Index {
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
    if (!whole || header.at < HEADER) throw new WeirError(`'${path}' has its index at no place in a file`, PACK_AGAIN);
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
  { offsets, lengths, checksums }: Index,
  take: (length: number, at: number) => Buffer,
  path: string,
): void {
  const odd = checksums.findIndex((sum, i) => crc32(take(lengths[i]!, offsets[i]!)) !== sum);
  if (odd >= 0) throw new WeirError(`record ${odd} of '${path}' was altered`, PACK_AGAIN);
}

function checkedIndex(data: Data, end: number, path: string): Index {
  if (isIndex(data, end)) return data;
  throw new WeirError(`'${path}' has an index that does not fit its records`, PACK_AGAIN);
}
