import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { crc32 } from '../../core/crc32.js';
import { WeirError } from '../../core/errors.js';
import { sharedLabels } from '../../core/labels.js';
import { unpack } from '../../core/pack.js';
import type { ImageDataset } from '../dataset.js';
import { shared } from '../images/images.js';
import { HEADER, headerOf, type Index, VERSION } from './format.js';

const AGAIN = 'make the file again with weir pack';

/**
 * The data set in a file that `weir pack` wrote. Only its index is read now; each record's checksum is verified when it is read.
 *
 * @throws {WeirError} for a file that is truncated, altered or of another format, by name and with what is wrong
 * @example const train = packed('imagenet-train.weirpack');
 */
export function packed(file: string): ImageDataset {
  const path = resolve(file);
  const { index, at } = read(path);
  const { offsets, lengths, checksums, heights, widths, labels, classes, encoding } = index;
  const size = labels.length;
  const whole = [offsets, lengths, checksums, heights, widths].every((array) => array.length === size);
  const inside = offsets.every((offset, i) => offset >= HEADER && offset + lengths[i]! <= at);
  const sized = encoding !== 'raw' || lengths.every((length, i) => length === heights[i]! * widths[i]! * 3);
  if (!whole || !inside || !sized || labels.some((label) => label >= classes.length)) {
    throw new WeirError(`'${path}' has an index that does not fit its records`, AGAIN);
  }
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

function read(path: string): { index: Index; at: number } {
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
    if (typeof header === 'string') throw new WeirError(`'${path}' ${header}`, AGAIN);
    if (header.version !== VERSION) {
      throw new WeirError(`'${path}' is a pack of format ${header.version}; this Weir reads ${VERSION}`, AGAIN);
    }
    const { size } = fstatSync(descriptor);
    if (size !== header.at + header.length) {
      throw new WeirError(
        `'${path}' is ${size < header.at + header.length ? 'cut short' : 'too long'}: it takes ${header.at + header.length} bytes, but has ${size}`,
        AGAIN,
      );
    }
    const bytes = take(header.length, header.at);
    if (crc32(bytes) !== header.checksum) throw new WeirError(`the index of '${path}' was altered`, AGAIN);
    return { index: unpack(bytes) as unknown as Index, at: header.at };
  } finally {
    closeSync(descriptor);
  }
}
