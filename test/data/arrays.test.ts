import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { dataset } from '../../src/data/arrays.js';
import { sizeOf } from '../../src/flow/data.js';
import { forgetNotices } from '../../src/flow/terminal.js';

const whole = {
  values: [0, 0, 0, 1, 1, 0, 1, 1],
  labels: [0, 1, 1, 0],
  sampleShape: [2],
  classes: ['same', 'different'],
};

test('lists of numbers become arrays on shared memory; bytes stay bytes', () => {
  const made = dataset({ ...whole, name: 'corners' });
  expect(made).toMatchObject({ name: 'corners', size: 4, sampleShape: [2], classes: ['same', 'different'] });
  expect(made.values).toEqual(Float32Array.from(whole.values));
  expect([...made.labels]).toEqual(whole.labels);
  expect(made.values.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(dataset({ ...whole, values: Uint8ClampedArray.from(whole.values) }).values).toBeInstanceOf(Uint8Array);
});

test('lists of lists give their shape; typed rows of bytes stay bytes', () => {
  const extent = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(fc.array(extent, { minLength: 1, maxLength: 3 }), extent, (sampleShape, size) => {
      let next = 0;
      const nested = (shape: readonly number[]): unknown =>
        shape.length === 0 ? next++ : Array.from({ length: shape[0]! }, () => nested(shape.slice(1)));
      const values = nested([size, ...sampleShape]) as number[][];
      const made = dataset({ values, labels: new Uint8Array(size), classes: 1 });
      expect(made.sampleShape).toEqual(sampleShape);
      expect([...made.values]).toEqual(Array.from({ length: size * sizeOf(sampleShape) }, (_, i) => i));
    }),
    { numRuns: 30 },
  );
  const bytes = dataset({ values: [Uint8Array.of(1, 2), Uint8Array.of(3, 255)], labels: [0, 1] });
  expect([bytes.values, bytes.sampleShape, bytes.classes]).toEqual([Uint8Array.of(1, 2, 3, 255), [2], ['0', '1']]);
});

test('labels are numbers of classes or their names; classes may be counted, or left out', () => {
  const of = (labels: number[] | string[], classes?: string[] | number) => {
    const made = dataset({ values: labels.map(() => [0]), labels, ...(classes !== undefined && { classes }) });
    return [[...made.labels], made.classes];
  };
  expect(of(['b', 'a', 'b'])).toEqual([
    [1, 0, 1],
    ['a', 'b'],
  ]);
  expect(of(['10', '9', '10'])).toEqual([
    [1, 0, 1],
    ['9', '10'],
  ]);
  expect(of(['b', 'a'], ['b', 'c', 'a'])).toEqual([
    [0, 2],
    ['b', 'c', 'a'],
  ]);
  expect(of(['e\u0301'], ['\u00e9'])).toEqual([[0], ['\u00e9']]);
  expect(of([2, 0])).toEqual([[1, 0].map((i) => 2 * i), ['0', '1', '2']]);
  expect(of([0, 1], 3)).toEqual([
    [0, 1],
    ['0', '1', '2'],
  ]);
  expect(() => of(['b', 'a'], ['a'])).toThrow("sample 0 of data set 'data' has the label the text 'b'");
});

test('the box is in float32, as the values are, and may be what is observed', () => {
  const box = { min: [0, -1], max: 0.1 };
  expect(dataset({ ...whole, values: whole.values.map((x) => x / 10), box }).box).toEqual({
    min: [0, -1],
    max: Math.fround(0.1),
  });
  expect(dataset({ ...whole, values: [3, 0, 4, 0, 5, -2, 3, 9], box: 'observed' }).box).toEqual({
    min: [3, -2],
    max: [5, 9],
  });
});

test.each([
  [{ labels: [0, 1, -1, 0] }, "sample 2 of data set 'data' has the label -1"],
  [{ labels: [0, 1, 0.5, 0] }, 'the label 0.5'],
  [{ values: [0, 0, 0, 1, 1, 0, 1, 1e300 * 1e300] }, "sample 3 of data set 'data' holds Infinity at position [1]"],
  [{ values: [0, 0, 0, 1, 1, 0, 1, 1e300] }, "sample 3 of data set 'data' holds 1e+300 at position [1]"], // too large for float32
  [
    { labels: ['1', '1.0', 'a', '01'], classes: undefined },
    "data set 'data' has the labels '01' and '1', which are one number",
  ],
  [{ values: [0, 0, 0, 1, 1, 0, 1] }, 'has 7 values'],
  [{ values: [0, 0, 0, null, 1, 0, 1, 1] as number[] }, "sample 1 of data set 'data' holds null at position [1]"],
  [{ values: [0, 0, 0, 1, '', 0, 1, 1] as number[] }, "sample 2 of data set 'data' holds the text '' at position [0]"],
  [
    { values: [[0, 0], [0, 1], [1], [1, 1]] },
    "sample 2 of data set 'data' has a list of 1 where sample 0 has a list of 2",
  ],
  [
    { values: [[0, 0], [0, 1], 7, [1, 1]] as number[][] },
    "sample 2 of data set 'data' has 7 where sample 0 has a list of 2",
  ],
  [{ sampleShape: undefined }, "data set 'data' was given its values in one list, and no sampleShape"],
  [{ labels: ['0', '1', '1', '0'] as unknown as number[] }, "the label the text '0'"],
  [{ classes: 0 }, "data set 'data' was given 0 for its classes"],
  [{ classes: 1 }, "sample 1 of data set 'data' has the label 1, and there are 1 classes (0)"],
  [{ classes: ['a', 'a'] }, "two classes of 'data' are called 'a'"],
  [{ labels: [0.5, 0, 0, 0], classes: undefined }, "the labels of data set 'data' tell no number of classes"],
  [{ box: { min: 0, max: 0.5 } }, "sample 1 of data set 'data' holds 1 at position [1], outside of its box [0, 0.5]"],
  [{ box: { min: [0, 0, 0], max: 1 } }, "min of the box of data set 'data' is [0,0,0]"],
  [{ box: { max: 1 } as never }, "min of the box of data set 'data' is undefined"],
  [{ values: Uint8Array.from(whole.values), box: 'observed' as const }, 'was given a box, and its values are bytes'],
])('so are values and labels that weir.dataset is given: %o', (fault, message) => {
  expect(() => dataset({ ...whole, ...fault })).toThrow(message);
});

test('classes that no sample has are said in a line, where the labels alone tell how many there are', () => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  forgetNotices();
  const numbers = { name: 'gaps', values: [[0], [1]], labels: [0, 5] };
  expect(dataset(numbers).classes).toHaveLength(6);
  dataset({ ...numbers, name: 'asked', classes: 6 });
  dataset({ ...numbers, name: 'whole', labels: [0, 1] });
  const lines = written.mock.calls.flat();
  written.mockRestore();
  expect(lines).toEqual(["data set 'gaps' has labels up to 5, so 6 classes, and no sample of 4 of them: 1, 2, 3, 4\n"]);
  const two = { values: [[0], [1]], labels: ['1', '1.0'], classes: ['1', '1.0'] };
  expect([...dataset(two).labels]).toEqual([0, 1]); // named, they are what they are said to be
});
