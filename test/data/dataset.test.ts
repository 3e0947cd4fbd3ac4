import { lastValueFrom, map, type Observable, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { augment, views } from '../../src/data/augment/augment.js';
import { normalize, unitScale } from '../../src/data/augment/ops/normalize.js';
import { batch } from '../../src/data/batch.js';
import { alignedTo, type Dataset, labeled, preparedDataset, sharedBytes } from '../../src/data/dataset.js';
import { loader } from '../../src/data/loader.js';
import { Flow } from '../../src/flow/flow.js';

const whole = {
  values: [0, 0, 0, 1, 1, 0, 1, 1],
  labels: [0, 1, 1, 0],
  sampleShape: [2],
  classes: ['same', 'different'],
};

const handMade = (more: object): Dataset => ({
  ...{ name: 'mine', size: 4, sampleShape: [2], classes: ['same', 'different'] },
  ...{ values: Float32Array.from(whole.values), labels: Uint8Array.from(whole.labels), ...more },
});

test('one made by hand is copied to shared memory once; one that is there already is taken as it is', () => {
  const mine = handMade({});
  const found = preparedDataset(mine);
  expect(found.values!.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(found.values).toEqual(mine.values);
  expect(preparedDataset(mine)).toBe(found);
  expect(preparedDataset(found)).toBe(found);
});

test.each([
  [{ sampleShape: [3] }, "data set 'mine' has 8 values, and 4 samples of shape [3] have 12", 'give sampleShape as [2]'],
  [
    { values: new Float32Array(7) },
    "data set 'mine' has 7 values, and 4 samples of shape [2] have 8",
    'find the missing ones',
  ],
  [
    { labels: Uint8Array.of(0, 1, 2, 0) },
    "sample 2 of data set 'mine' has the label 2, and there are 2 classes (same, different)",
    '0 to 1',
  ],
  [{ labels: Uint8Array.of(0, 1) }, "data set 'mine' has 4 samples and 2 labels", 'give each sample a label'],
  [{ classes: ['one', 'one'] }, "two classes of 'mine' are called 'one'", 'a name of its own'],
  [
    { values: Float32Array.of(0, 0, 0, Number.NaN, 0, 0, 0, 0) },
    "sample 1 of data set 'mine' holds NaN at position [1]",
    'finite numbers',
  ],
  [
    { values: Float32Array.of(0, 0, 0, 0, 0, 0, -1 / 0, 1 / 0) },
    "sample 3 of data set 'mine' holds -Infinity at position [0], and there are 1 more such values",
    'finite',
  ],
  [{ labels: [0, 1, 1, 0] }, "the labels of data set 'mine' are a plain list", 'weir.dataset('],
  [{ values: new Float64Array(8) }, "the values of data set 'mine' are of type Float64Array", 'weir.dataset('],
  [{ size: 1.5 }, "data set 'mine' has 1.5 samples", 'whole number'],
  [{ sampleShape: [2, 0] }, "data set 'mine' has samples of shape [2,0]", 'whole numbers'],
])('data that cannot be trained on is an error when the graph is wired: %o', (fault, message, remedy) => {
  expect(() => loader(handMade(fault), { epochs: 1, seed: 0 })).toThrow(
    expect.objectContaining({ message, remedy: expect.stringContaining(remedy) }),
  );
});

const made = (classes: string[], labels: number[]): Dataset => ({
  ...{ name: classes.join('-'), size: labels.length, sampleShape: [1], classes },
  values: sharedBytes(labels.length),
  labels: Uint8Array.from(labels),
});
const headersOf = (x$: Observable<unknown>) => {
  const flow = new Flow({ x$ });
  flow.introduce();
  flow.close();
  return flow.nodes[0]!.headers;
};

test('a data set with the labels of another one’s classes, by name', () => {
  const found = alignedTo(made(['a', 'b', 'c'], []), made(['c', 'a'], [0, 1, 1]));
  expect([found.classes, [...found.labels], found.name, found.size]).toEqual([['a', 'b', 'c'], [2, 0, 0], 'c-a', 3]);
  expect(() => alignedTo(made(['a'], []), made(['a', 'b'], [1]))).toThrow("class 'b' of 'a-b' (1 sample)");
});

test('what samples are drawn from says their classes, recipes what they are normalized with', () => {
  const set = made(['a', 'b'], [0, 1]);
  const classes = { of: 'a-b', names: ['a', 'b'] };
  const by = { mean: [0.5], std: [2] };
  const drawn = loader(set, { epochs: 1, seed: 0 });
  expect(headersOf(drawn)).toEqual([{ classes, samples: 2, epochs: 1 }]);
  expect(headersOf(drawn.pipe(augment([unitScale(), normalize(by)], { seed: 0 }), batch(2)))).toEqual([
    { classes, samples: 2, epochs: 1, normalization: by, batches: { count: 1, size: 2, last: 2 } },
  ]);
  const both = [[normalize(by)], [normalize(by), unitScale()]];
  expect(headersOf(drawn.pipe(views(both, { seed: 0 })))).toEqual([
    { classes, samples: 2, epochs: 1, normalization: by },
  ]);
  expect(headersOf(drawn.pipe(views([[normalize(by)], [unitScale()]], { seed: 0 })))).toEqual([
    { classes, samples: 2, epochs: 1 },
  ]);
});

test('labels that an operator has made stand for what is said of them', async () => {
  const parity$ = loader(made(['a', 'b', 'c'], [0, 1, 2]), { epochs: 1, seed: 0, shuffle: false }).pipe(
    augment([], { seed: 0 }),
    map((samples) => ({ ...samples, labels: samples.labels.map((label) => label % 2) })),
    labeled(['even', 'odd']),
  );
  expect(headersOf(parity$)).toEqual([{ classes: { of: 'labeled', names: ['even', 'odd'] }, samples: 3, epochs: 1 }]);
  const [all] = await lastValueFrom(parity$.pipe(toArray()));
  expect([...all!.labels]).toEqual([0, 1, 0]);
  expect(() => labeled(['a', 'a'])).toThrow("two classes of 'labeled' are called 'a'");
});
