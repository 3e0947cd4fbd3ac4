import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { mnist } from '../../../src/data/datasets/source-mnist.js';

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
