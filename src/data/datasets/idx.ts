import { WeirError } from '../../flow/errors.js';
import { sharedBytes } from '../feed-dataset.js';
import { content, GET_AGAIN } from './content.js';

/** What an IDX file of bytes holds, by its magic number: 0x08 for unsigned bytes, then the number of dimensions. */
const IDX_MAGIC = { labels: 2049, images: 2051 } as const;

export type IdxKind = keyof typeof IDX_MAGIC;

export interface Idx {
  /** [items] for labels, [items, rows, columns] for images. */
  readonly shape: readonly number[];
  /** The bytes, row-major, on shared memory. */
  readonly values: Uint8Array;
}

/**
 * Reads a file of MNIST's format (http://yann.lecun.com/exdb/mnist), plain or gzip by its content, whatever its name.
 *
 * A file that is not wholly what `kind` says is refused with what is wrong in it.
 */
export function readIdx(file: string, kind: IdxKind): Idx {
  const bytes = content(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dimensions = IDX_MAGIC[kind] & 0xff;
  const header = 4 * (1 + dimensions);
  if (bytes.length >= 4) checkMagic(file, view.getUint32(0), kind);
  if (bytes.length < header) throw truncated(file, kind, `its header alone takes ${header}`, bytes.length);

  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 * (1 + i)));
  const length = shape.reduce((product, extent) => product * extent, 1);
  const expected = header + length;
  if (length === 0)
    throw new WeirError(`'${file}' says that it holds ${shape.join(' x ')} ${kind}: nothing`, GET_AGAIN);
  if (bytes.length < expected) {
    throw truncated(file, kind, `${shape.join(' x ')} ${kind} take ${expected}`, bytes.length);
  }
  if (bytes.length > expected) {
    const tail = bytes.length - expected;
    throw new WeirError(
      `'${file}' has ${tail} byte${tail === 1 ? '' : 's'} after its last ${kind.slice(0, -1)}: it holds ${bytes.length}, and ${shape.join(' x ')} ${kind} take ${expected}`,
      GET_AGAIN,
    );
  }
  const values = sharedBytes(length);
  values.set(bytes.subarray(header));
  return { shape, values };
}

function checkMagic(file: string, magic: number, kind: IdxKind): void {
  if (magic === IDX_MAGIC[kind]) return;
  const other = (Object.keys(IDX_MAGIC) as IdxKind[]).find((name) => IDX_MAGIC[name] === magic);
  if (other) {
    throw new WeirError(
      `'${file}' holds ${other} (magic ${magic}) where ${kind} (magic ${IDX_MAGIC[kind]}) were expected`,
      'check that the files were not renamed into each other',
    );
  }
  throw new WeirError(
    `'${file}' is no IDX file of ${kind}: it starts with 0x${magic.toString(16).padStart(8, '0')}, not magic ${IDX_MAGIC[kind]}`,
    'give a file of the MNIST distribution, plain or gzip',
  );
}

const truncated = (file: string, kind: IdxKind, need: string, got: number): WeirError =>
  new WeirError(`'${file}' is cut short: ${need} bytes, but it has ${got} (an IDX file of ${kind})`, GET_AGAIN);
