import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { cifar10File } from '../../../src/data/datasets/cifar10.js';
import { csv } from '../../../src/data/datasets/csv.js';
import { readMat } from '../../../src/data/datasets/image-folder/mat.js';
import { readIdx } from '../../../src/data/datasets/mnist.js';
import { npy, numpyArray } from '../../../src/data/datasets/npy.js';
import { parquet } from '../../../src/data/datasets/parquet.js';
import { readImage } from '../../../src/data/images/reader.js';
import { HEADER, headerBytes, packed, VERSION } from '../../../src/data/pack.js';
import { sizeOf } from '../../../src/flow/data.js';
import { pack } from '../../../src/storage/codec.js';
import { crc32 } from '../../../src/storage/digest.js';
import type { Target } from '../fuzz.js';

function idx(magic: number, ...shape: number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * shape.length + sizeOf(shape), 3);
  for (const [i, value] of [magic, ...shape].entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}
const images = idx(2051, 5, 6, 7);
const labels = idx(2049, 40);
/** A bomb: 32 MiB of the same byte that says it is labels, in 32 KiB. */
const bomb = gzipSync(idx(2049, 2 ** 25));

export const idxImages: Target = {
  name: 'IDX images',
  originals: [images, gzipSync(images)],
  read: (file) => readIdx(file, 'images'),
};

export const idxLabels: Target = {
  name: 'IDX labels',
  originals: [labels, gzipSync(labels)],
  read: (file) => readIdx(file, 'labels'),
};

export const gzipBomb: Target = {
  name: 'gzip bomb',
  originals: [bomb],
  make: () => bomb,
  read: (file) => readIdx(file, 'labels'),
};

const cifar = Buffer.alloc(3 * 3073, 5);

export const cifar10: Target = {
  name: 'CIFAR-10',
  originals: [cifar, gzipSync(cifar)],
  read: (file) => cifar10File(file),
};

const mats = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../data/datasets/image-folder/mat.json'), 'utf8'),
) as Record<string, Record<string, string>>;

export const mat: Target = {
  name: 'MATLAB',
  originals: Object.values(mats)
    .filter((made) => typeof made === 'object')
    .flatMap((made) => Object.values(made).map((text) => Buffer.from(text, 'base64'))),
  read: (file) => readMat(file),
};

/** Two images of 2 × 3 pixels, as they are. */
function original(): Buffer {
  const records = [Buffer.alloc(18, 7), Buffer.alloc(18, 9)];
  const index = Buffer.from(
    pack({
      ...{ name: 'made', classes: ['a', 'b'], encoding: 'raw', labels: Uint8Array.of(0, 1) },
      ...{ offsets: Float64Array.of(HEADER, HEADER + 18), lengths: Uint32Array.of(18, 18) },
      ...{ checksums: Uint32Array.from(records, (record) => crc32(record)) },
      ...{ heights: Uint32Array.of(2, 2), widths: Uint32Array.of(3, 3) },
    }),
  );
  const header = headerBytes({ version: VERSION, at: HEADER + 36, length: index.length, checksum: crc32(index) });
  return Buffer.concat([header, ...records, index]);
}

function mend(bytes: Buffer): void {
  if (bytes.length < HEADER) return;
  const at = bytes.readDoubleLE(16);
  if (at >= 0 && at <= bytes.length) {
    bytes.writeUInt32LE(crc32(bytes.subarray(at, at + bytes.readDoubleLE(24))), 32);
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER - 4)), HEADER - 4);
}

export const packOfImages: Target = {
  name: 'pack',
  originals: [original()],
  mend,
  async read(file) {
    const { images, size } = packed(file);
    // Where an altered index says that they are encoded, the decoder's own judgement is not ours to test.
    if (images.kind === 'packed' && images.encoding === 'encoded') return;
    for (let i = 0; i < size; i++) await readImage(images, i);
  },
};

const tables = join(import.meta.dirname, '../../data/datasets/tables');
const table = (name: string): Buffer => readFileSync(join(tables, name));
const arrays = JSON.parse(table('numpy.json').toString()) as { readonly arrays: readonly { readonly file: string }[] };

export const numpy: Target = {
  name: 'NumPy array',
  originals: arrays.arrays.map(({ file }) => Buffer.from(file, 'base64')),
  read: (file, bytes) => numpyArray(bytes, file),
};

export const numpyArchive: Target = {
  name: 'NumPy archive',
  originals: [table('iris.npz')],
  read: (file) => npy(file),
};

export const commas: Target = {
  name: 'CSV',
  originals: [Buffer.from('a,"b, c",y\n1,2.5,k\n-3e2,.4,"l ""m"" "\n0,1,k\n')],
  read: (file) => csv(file, { label: 'y' }),
};

export const columns: Target = {
  name: 'Parquet',
  originals: [table('iris-snappy.parquet'), table('iris-gzip.parquet')],
  read: (file) => parquet(file, { label: 'species' }),
};
