import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { npy, numpyArray } from '../../../src/data/datasets/npy.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-npy-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Made {
  readonly arrays: readonly { name: string; file: string; shape: number[]; values: unknown[] }[];
  readonly refused: Readonly<Record<string, string>>;
}
const made: Made = JSON.parse(readFileSync(join(import.meta.dirname, 'tables/numpy.json'), 'utf8'));
const iris = join(import.meta.dirname, 'tables/iris.npz');

/** The bytes that NumPy made of an array, in a file. */
const saved = (name: string, change = (bytes: Buffer) => bytes): string => {
  const file = join(folder, `${name}.npy`);
  writeFileSync(file, change(Buffer.from(made.arrays.find((one) => one.name === name)!.file, 'base64')));
  return file;
};

test.each(made.arrays)('NumPy’s array: $name', ({ file, shape, values }) => {
  const found = numpyArray(Buffer.from(file, 'base64'), 'a.npy');
  expect([found.shape, [...found.values]]).toEqual([
    shape,
    values.map((one) => (typeof one === 'boolean' ? Number(one) : one)),
  ]);
});

test.each(Object.entries(made.refused))('NumPy’s array of another kind is refused: %s', (_, file) => {
  expect(() => numpyArray(Buffer.from(file, 'base64'), 'a.npy')).toThrow(/'a.npy' (holds items of type|tells no type)/);
});

test('samples and labels from two files: bytes are pixels, all else is float32; gzip is unpacked', async () => {
  const labels = saved('i8', (bytes) =>
    Buffer.concat([Buffer.from(bytes.toString('latin1').replace('(2, 3), ', '(6,),   '), 'latin1')]),
  );
  const six = saved('u1', (bytes) =>
    gzipSync(Buffer.from(bytes.toString('latin1').replace('(2, 3), ', '(6, 1),'.padEnd(8)), 'latin1')),
  );
  const pixels = await npy({ values: six, labels }, { name: 'pixels' });
  expect(pixels).toMatchObject({
    name: 'pixels',
    size: 6,
    sampleShape: [1],
    values: Uint8Array.of(0, 1, 2, 100, 5, 127),
  });
  expect([pixels.classes.length, [...pixels.labels]]).toEqual([128, [0, 1, 2, 100, 5, 127]]);
  await expect(npy({ values: saved('f8'), labels })).rejects.toThrow(
    `the samples in '${saved('f8')}' have the shape (2, 3), and the labels in '${labels}' (6)`,
  );
});

test('an archive: the flowers that scikit-learn has', async () => {
  const flowers = await npy(iris, { box: 'observed' });
  expect(flowers).toMatchObject({
    name: 'iris',
    size: 150,
    sampleShape: [4],
    classes: ['setosa', 'versicolor', 'virginica'],
  });
  expect([...flowers.values.subarray(0, 4)]).toEqual([5.1, 3.5, 1.4, 0.2].map(Math.fround));
  expect(flowers.box).toEqual({ min: [4.3, 2, 1, 0.1].map(Math.fround), max: [7.9, 4.4, 6.9, 2.5].map(Math.fround) });
  await expect(npy(iris, { members: { values: 'x', labels: 'z' } })).rejects.toThrow(
    `'${iris}' has no array 'z': it has x, y`,
  );
  await expect(npy(iris, { members: { values: 'y', labels: 'y' } })).rejects.toThrow(
    `'${iris}: y' have the shape (150)`,
  );
});

test('a file that is cut short, or is something else, is named', async () => {
  const cut = join(folder, 'cut.npz');
  writeFileSync(cut, readFileSync(iris).subarray(0, 900));
  await expect(npy(cut)).rejects.toThrow(`'${cut}' cannot be read as .npz`);
  await expect(npy(join(folder, 'none.npz'))).rejects.toThrow('none.npz');
  const short = saved('f4', (bytes) => bytes.subarray(0, bytes.length - 3));
  const labels = saved('u1');
  await expect(npy({ values: short, labels })).rejects.toThrow(
    `'${short}' has 21 bytes of items, and shape (2, 3) of type '<f4' has 24`,
  );
  writeFileSync(short, 'sepal length,sepal width');
  await expect(npy({ values: short, labels })).rejects.toThrow(`'${short}' is no .npy file`);
});

test('a number and a text that cannot be are named with the file', async () => {
  const labels = saved('u1', (bytes) =>
    Buffer.concat([Buffer.from(bytes.toString('latin1').replace('(2, 3), ', '(2,),   '), 'latin1').subarray(0, -4)]),
  );
  const values = saved('f8', (bytes) => {
    bytes.writeDoubleLE(1e300, bytes.length - 8);
    return bytes;
  });
  await expect(npy({ values, labels })).rejects.toThrow(
    `'${values}', '${labels}': sample 1 of data set 'f8' holds 1e+300 at position [2]`,
  );
  const text = (name: string, change: (bytes: Buffer) => unknown) => {
    const bytes = Buffer.from(made.arrays.find((one) => one.name === name)!.file, 'base64');
    change(bytes);
    return () => numpyArray(bytes, 'a.npy');
  };
  expect(text('bytes', (bytes) => bytes.writeUInt8(0xfc, bytes.length - 2))).toThrow(
    "'a.npy', item 1: there are bytes that are not UTF-8",
  );
  for (const point of [0x110000, 0xd800]) {
    expect(text('text', (bytes) => bytes.writeUInt32LE(point, bytes.length - 12))).toThrow(
      "'a.npy', item 2: there are bytes that are not UTF-32",
    );
  }
});
