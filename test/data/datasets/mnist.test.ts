import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { mnist, readIdx } from '../../../src/data/datasets/mnist.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-mnist-'));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, magic: number, shape: number[], values: number[]) => {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(magic);
  shape.forEach((extent, i) => void header.writeUInt32BE(extent, 4 + 4 * i));
  writeFileSync(join(folder, name), Buffer.concat([header, Buffer.from(values)]));
};

test('a folder that goes wrong in one way after another', () => {
  const read = () => mnist({ data: folder });
  expect(() => mnist({ data: join(folder, 'none') })).toThrow(
    `there is no folder '${join(folder, 'none')}' to read MNIST from`,
  );
  expect(read).toThrow(
    `'${folder}' has no train-images-idx3-ubyte and no train-images-idx3-ubyte.gz (MNIST, images for the train)`,
  );
  expect(read).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining('t10k-labels-idx1-ubyte, each plain or with .gz') }),
  );

  for (const part of ['train', 't10k']) {
    write(`${part}-images-idx3-ubyte`, 2051, [2, 1, 2], [1, 2, 3, 4]);
    write(`${part}-labels-idx1-ubyte`, 2049, [2], [9, 0]);
  }
  const { train, test } = read();
  expect(train).toMatchObject({ name: 'mnist/train', size: 2, sampleShape: [1, 2, 1], labels: new Uint8Array([9, 0]) });
  expect(test.values).toEqual(new Uint8Array([1, 2, 3, 4]));

  write('train-labels-idx1-ubyte', 2049, [2], [9, 10]);
  expect(read).toThrow(`label 1 of '${join(folder, 'train-labels-idx1-ubyte')}' is 10, not a digit from 0 to 9`);
  write('train-labels-idx1-ubyte', 2049, [3], [9, 1, 1]);
  expect(read).toThrow(
    `'${join(folder, 'train-images-idx3-ubyte')}' holds 2 images, but '${join(folder, 'train-labels-idx1-ubyte')}' 3 labels`,
  );
  expect(() => mnist({ data: join(folder, 'train-labels-idx1-ubyte') })).toThrow('is no folder to read MNIST from');
});

const shared = resolve(process.env.WEIR_SHARED ?? '../shared', 'data/mnist');
test.skipIf(!existsSync(shared))('the test part of MNIST has the MD5 of the original distribution', () => {
  const { train, test } = mnist({ data: shared });
  expect([train.size, test.size]).toEqual([60_000, 10_000]);
  expect(test.sampleShape).toEqual([28, 28, 1]);
  const header = Buffer.from([0, 0, 8, 3, 0, 0, 0x27, 0x10, 0, 0, 0, 28, 0, 0, 0, 28]);
  const md5 = createHash('md5').update(header).update(test.values).digest('hex');
  expect(md5).toBe('2646ac647ad5339dbf082846283269ea');
  expect([...train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
});

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
