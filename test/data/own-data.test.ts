import { expect, test } from 'vitest';
import { loader } from '../../src/data/draw.js';
import { type Dataset, dataset, prepared } from '../../src/data/feed-dataset.js';

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

const handMade = (more: object): Dataset => ({
  ...{ name: 'mine', size: 4, sampleShape: [2], classes: ['same', 'different'] },
  ...{ values: Float32Array.from(whole.values), labels: Uint8Array.from(whole.labels), ...more },
});

test('one made by hand is copied to shared memory once; one that is there already is taken as it is', () => {
  const mine = handMade({});
  const found = prepared(mine);
  expect(found.values!.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(found.values).toEqual(mine.values);
  expect(prepared(mine)).toBe(found);
  expect(prepared(found)).toBe(found);
});

test.each([
  [{ sampleShape: [3] }, "data set 'mine' has 8 values, and 4 samples of shape [3] have 12", 'give sampleShape as [2]'],
  [
    { values: new Float32Array(7) },
    "data set 'mine' has 7 values, and 4 samples of shape [2] have 8",
    'which are missing',
  ],
  [
    { labels: Uint8Array.of(0, 1, 2, 0) },
    "sample 2 of data set 'mine' has the label 2, and there are 2 classes (same, different)",
    '0 to 1',
  ],
  [{ labels: Uint8Array.of(0, 1) }, "data set 'mine' has 4 samples and 2 labels", 'a label a sample'],
  [{ classes: ['one', 'one'] }, "two classes of 'mine' are called 'one'", 'a name of its own'],
  [
    { values: Float32Array.of(0, 0, 0, Number.NaN, 0, 0, 0, 0) },
    "sample 1 of data set 'mine' holds NaN at place [1]",
    'finite numbers',
  ],
  [
    { values: Float32Array.of(0, 0, 0, 0, 0, 0, -1 / 0, 1 / 0) },
    "sample 3 of data set 'mine' holds -Infinity at place [0], and there are 1 more such values",
    'finite',
  ],
  [{ labels: [0, 1, 1, 0] }, "the labels of data set 'mine' are a plain list", 'weir.dataset('],
  [{ values: new Float64Array(8) }, "the values of data set 'mine' are of type Float64Array", 'weir.dataset('],
  [{ size: 1.5 }, "data set 'mine' has 1.5 samples", 'whole number'],
  [{ sampleShape: [2, 0] }, "data set 'mine' has samples of shape [2,0]", 'whole numbers'],
])('what cannot be trained on is told when the graph is wired: %o', (fault, message, remedy) => {
  expect(() => loader(handMade(fault), { epochs: 1, seed: 0 })).toThrow(
    expect.objectContaining({ message, remedy: expect.stringContaining(remedy) }),
  );
});

test.each([
  [{ labels: [0, 1, -1, 0] }, "sample 2 of data set 'data' has the label -1"],
  [{ labels: [0, 1, 0.5, 0] }, 'the label 0.5'],
  [{ values: [0, 0, 0, 1, 1, 0, 1, 1e300 * 1e300] }, "sample 3 of data set 'data' holds Infinity at place [1]"],
  [{ values: [0, 0, 0, 1, 1, 0, 1, 1e300] }, "sample 3 of data set 'data' holds Infinity at place [1]"], // too large for float32
  [{ values: [0, 0, 0, 1, 1, 0, 1] }, 'has 7 values'],
  [{ values: [0, 0, 0, null, 1, 0, 1, 1] as number[] }, "sample 1 of data set 'data' holds null at place [1]"],
  [{ values: [0, 0, 0, 1, '', 0, 1, 1] as number[] }, "sample 2 of data set 'data' holds the text '' at place [0]"],
  [
    {
      values: [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as unknown as number[],
    },
    "the values of data set 'data' are a list of lists",
  ],
  [{ labels: ['0', '1', '1', '0'] as unknown as number[] }, "the label the text '0'"],
  [{ classes: 2 as unknown as string[] }, "data set 'data' was given 2 for its classes"],
])('so is what is handed to weir.dataset: %o', (fault, message) => {
  expect(() => dataset({ ...whole, ...fault })).toThrow(message);
});
