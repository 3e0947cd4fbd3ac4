import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { cifar10, cifar10File } from '../../../src/data/datasets/cifar10.js';
import { shared } from '../../golden.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-cifar10-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Records whose pixels tell where they are: plane · 80 + row. */
const records = (...labels: number[]): Buffer =>
  Buffer.concat(labels.map((label) => Buffer.from([label, ...Array.from({ length: 3072 }, (_, i) => Math.floor(i / 1024) * 80 + (Math.floor(i / 32) % 32))]))); // biome-ignore format: one idea

test('planes become pixels, files follow one another, and a folder that goes wrong says how', () => {
  const read = (options = {}) => cifar10({ data: folder, ...options });
  expect(() => cifar10({ data: join(folder, 'none') })).toThrow(`there is no folder '${join(folder, 'none')}'`);
  expect(read).toThrow(`'${folder}' has no training files of CIFAR-10`);

  writeFileSync(join(folder, 'data_batch_1.bin'), records(9, 0));
  writeFileSync(join(folder, 'data_batch_3.bin.gz'), gzipSync(records(4)));
  expect(read).toThrow(`'${folder}' has no test_batch.bin and no test_batch.bin.gz (CIFAR-10)`);
  writeFileSync(join(folder, 'test_batch.bin'), records(7));

  const { train, test } = read();
  expect(train).toMatchObject({ name: 'cifar10/train', size: 3, sampleShape: [32, 32, 3] });
  expect(train.classes[9]).toBe('truck');
  expect([...train.labels, ...test.labels]).toEqual([9, 0, 4, 7]);
  expect([...train.values.subarray(3072 + 32 * 3, 3072 + 32 * 3 + 3)]).toEqual([1, 81, 161]); // second image, row 1, column 0

  expect(read({ train: 1 }).train.size).toBe(1);
  expect(() => read({ train: 4 })).toThrow(/4 images of 'cifar10\/train' were asked for, but .* hold 3/);
  expect(() => read({ test: 0.5 })).toThrow("0.5 images of 'cifar10/test' were asked for");
  expect(read({ files: { train: ['test_batch.bin'] } }).train.labels[0]).toBe(7);
});

test('a file of another length or with another label is refused by its name and record', () => {
  const file = join(folder, 'odd.bin');
  writeFileSync(file, records(1, 2).subarray(0, 4000));
  expect(() => cifar10File(file)).toThrow(
    `'${file}' is no whole file of CIFAR-10: 927 bytes follow 1 records of 3073 bytes`,
  );
  writeFileSync(file, '');
  expect(() => cifar10File(file)).toThrow('is no whole file');
  writeFileSync(file, records(1, 10));
  expect(() => cifar10File(file)).toThrow(`record 1 of '${file}' has label 10, not one from 0 to 9`);
  writeFileSync(file, gzipSync(records(3)).subarray(0, 20));
  expect(() => cifar10File(file)).toThrow('ends in the middle of its gzip stream');
});

const real = join(shared, 'data/cifar10/lossless_train_4000.bin.gz');
test.skipIf(!existsSync(real))('real images: 4000, of all classes, first labels as known', () => {
  const { size, labels } = cifar10File(real);
  expect(size).toBe(4000);
  expect([...labels.subarray(0, 10)]).toEqual([6, 9, 9, 4, 1, 1, 2, 7, 8, 3]);
});
