import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { cifar10File } from '../../../src/data/datasets/cifar10.js';
import { readIdx } from '../../../src/data/datasets/idx.js';
import { readMat } from '../../../src/data/datasets/image-folder/mat.js';
import type { Target } from '../target.js';

function idx(magic: number, ...shape: number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * shape.length + shape.reduce((product, extent) => product * extent, 1), 3);
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
