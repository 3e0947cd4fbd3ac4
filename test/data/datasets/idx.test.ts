import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { readIdx } from '../../../src/data/datasets/idx.js';

const idxFolder = mkdtempSync(join(tmpdir(), 'weir-idx-'));
afterAll(() => rmSync(idxFolder, { recursive: true }));

const written = (bytes: Uint8Array, name = 'file') => {
  const file = join(idxFolder, name);
  writeFileSync(file, bytes);
  return file;
};
const idx = (magic: number, shape: number[], values: number[]) => {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(magic);
  shape.forEach((extent, i) => void header.writeUInt32BE(extent, 4 + 4 * i));
  return Buffer.concat([header, Buffer.from(values)]);
};
const images = idx(2051, [2, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]);

test.each([
  ['plain', images, 'images'],
  ['gzip', gzipSync(images), 'images'],
  ['gzip under a plain name and the reverse', gzipSync(images), 'images-ubyte'],
  ['plain', images, 'images.gz'],
])('%s', (_, bytes, name) => {
  const { shape, values } = readIdx(written(bytes, name), 'images');
  expect(shape).toEqual([2, 2, 3]);
  expect([...values]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]);
  expect(values.buffer).toBeInstanceOf(SharedArrayBuffer);
});

test('labels', () => {
  expect(readIdx(written(idx(2049, [3], [9, 0, 1])), 'labels')).toMatchObject({
    shape: [3],
    values: new Uint8Array([9, 0, 1]),
  });
});

const file = join(idxFolder, 'file');
test.each([
  [idx(2049, [3], [9, 0, 1]), `'${file}' holds labels (magic 2049) where images (magic 2051) were expected`],
  [
    Buffer.from('\x89PNG....', 'latin1'),
    `'${file}' is no IDX file of images: it starts with 0x89504e47, not magic 2051`,
  ],
  [Buffer.alloc(0), `'${file}' is cut short: its header alone takes 16 bytes, but it has 0 (an IDX file of images)`],
  [
    images.subarray(0, 9),
    `'${file}' is cut short: its header alone takes 16 bytes, but it has 9 (an IDX file of images)`,
  ],
  [
    images.subarray(0, 27),
    `'${file}' is cut short: 2 x 2 x 3 images take 28 bytes, but it has 27 (an IDX file of images)`,
  ],
  [
    Buffer.concat([images, Buffer.from([1])]),
    `'${file}' has 1 byte after its last image: it holds 29, and 2 x 2 x 3 images take 28`,
  ],
  [idx(2051, [0, 28, 28], []), `'${file}' says that it holds 0 x 28 x 28 images: nothing`],
  [gzipSync(images).subarray(0, 30), `'${file}' ends in the middle of its gzip stream, after 30 bytes`],
  [gzipSync(images).subarray(0, 5), `'${file}' ends in the middle of its gzip stream, after 5 bytes`],
  [gzipSync(images).fill(7, 34, 38), `'${file}' is damaged gzip (incorrect data check)`],
])('bad file %#: %s', (bytes, message) => {
  expect(() => readIdx(written(Buffer.from(bytes)), 'images')).toThrow(
    expect.objectContaining({ name: 'WeirError', message }),
  );
});

test('a missing file', () => {
  expect(() => readIdx(join(idxFolder, 'none'), 'images')).toThrow(/none' cannot be read: ENOENT/);
});
