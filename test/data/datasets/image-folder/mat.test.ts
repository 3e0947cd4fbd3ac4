import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matIntegers, matTexts, readMat } from '../../../../src/data/datasets/image-folder/mat.js';
import { WeirError } from '../../../../src/flow/errors.js';
import { newFolder } from '../../images/samples.js';

type Ways = { readonly plain: string; readonly compressed: string };
const made = JSON.parse(readFileSync(join(import.meta.dirname, 'mat.json'), 'utf8')) as { [name: string]: Ways };
const folder = newFolder();
const file = join(folder, 'file.mat');
const bytes = (name: string, way: keyof Ways): Buffer => Buffer.from(made[name]![way], 'base64');
const read = (content: Uint8Array) => {
  writeFileSync(file, content);
  return readMat(file);
};

test.each(['plain', 'compressed'] as const)('numbers, text and cells as SciPy writes them, %s', (way) => {
  const kinds = read(bytes('kinds', way));
  expect(kinds.get('negative')).toEqual({
    kind: 'numbers',
    shape: [2, 2],
    values: Float64Array.of(-5, 300, 7, -32768),
  });
  expect(kinds.get('real')).toEqual({ kind: 'numbers', shape: [1, 2], values: Float64Array.of(0.5, -1e300) });
  expect(kinds.get('single')).toEqual({ kind: 'numbers', shape: [1, 1], values: Float64Array.of(0.25) });
  expect(kinds.get('empty')).toMatchObject({ shape: [0, 0] });
  expect(kinds.get('text')).toEqual({ kind: 'text', text: 'word' });
  expect(kinds.has('structure')).toBe(false);

  const dogs = read(bytes('train_list', way));
  expect(matTexts(file, dogs, 'file_list')[0]).toBe('n02085620-Chihuahua/n02085620_5927.jpg');
  expect([...matIntegers(file, dogs, 'labels', 1, 120)]).toEqual([1, 2, 1]);
});

test('what a file lacks, or holds where something else should be, is named', () => {
  const dogs = read(bytes('train_list', 'plain'));
  expect(() => matIntegers(file, dogs, 'label', 1, 9)).toThrow(
    `'${file}' has no numbers called 'label'; it has file_list, annotation_list, labels`,
  );
  expect(() => matIntegers(file, dogs, 'file_list', 1, 9)).toThrow("has no numbers called 'file_list'");
  expect(() => matTexts(file, dogs, 'labels')).toThrow("has no cells of text called 'labels'");
  expect(() => matIntegers(file, dogs, 'labels', 1, 1)).toThrow(
    `'labels' of '${file}' holds 2, not whole numbers from 1 to 1`,
  );
});

/** A file of one matrix whose parts may lie. */
function lying(change: (matrix: DataView) => void): Uint8Array {
  const content = bytes('imagelabels', 'plain');
  change(new DataView(content.buffer, content.byteOffset + 128, content.length - 128));
  return content;
}

test.each([
  [
    'a length that no file has',
    lying((view) => view.setUint32(4, 0xfffffff0, true)),
    'an element of type 14 says that it takes 4294967280 bytes where the file has',
  ],
  [
    'absurd dimensions',
    lying((view) => view.setInt32(36, 0x7fffffff, true)),
    "matrix 'labels' says that it is 1 x 2147483647, but takes",
  ],
  ['negative dimensions', lying((view) => view.setInt32(32, -4, true)), "matrix 'labels' says that it is -4 x 4"],
  [
    'more values than given',
    lying((view) => view.setInt32(36, 5, true)),
    "matrix 'labels' is 1 x 5, but holds 4 values",
  ],
  ['a header alone', bytes('setid', 'plain').subarray(0, 100), 'its header takes 128 bytes, but it has 100'],
  ['another format', Buffer.alloc(300), 'its header does not end in IM'],
])('%s is refused before anything is made', (_, content, message) => {
  expect(() => read(content)).toThrow(message);
});

test('what would unpack to more than fits is refused', () => {
  const bomb = deflateSync(Buffer.alloc(2 ** 28 + 1), { level: 9 });
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(15, 0);
  tag.writeUInt32LE(bomb.length, 4);
  const header = bytes('setid', 'plain').subarray(0, 128);
  expect(() => read(Buffer.concat([header, tag, bomb]))).toThrow('a compressed element is damaged or too large');
});

test('cut or altered anywhere, a file is read or refused by name, never worse', () => {
  const whole = [bytes('train_list', 'plain'), bytes('setid', 'compressed')];
  fc.assert(
    fc.property(fc.constantFrom(...whole), fc.nat(), fc.nat(255), fc.nat(), (content, at, value, length) => {
      const altered = Buffer.from(content.subarray(0, 1 + (length % content.length)));
      altered[at % altered.length] = value;
      try {
        read(altered);
      } catch (error) {
        expect(error).toBeInstanceOf(WeirError);
      }
    }),
    { numRuns: 300 },
  );
});
