import { expect, test } from 'vitest';
import { dataset } from '../../src/data/arrays.js';
import { augment } from '../../src/data/augment/augment.js';
import { normalize } from '../../src/data/augment/ops/normalize.js';
import { rendered } from '../../src/data/augment/rendered-dataset.js';
import { loader } from '../../src/data/loader.js';
import { standardized } from '../../src/data/standardized.js';
import { Flow } from '../../src/flow/flow.js';
import { usualBox } from '../../src/measure/attack/box.js';

const labels = [0, 1, 0, 1];
const train = dataset({
  values: [
    [1, 5, 0.1],
    [2, 5, 0.4],
    [4, 5, 0.2],
    [9, 5, 0.7],
  ],
  ...{ labels, classes: 2, name: 'train', box: { min: [0, 0, 0], max: [10, 10, 1] } },
});
const unseen = dataset({ values: [[3, 6, 0.3]], labels: [0], classes: 2, name: 'unseen' });

test('features have the mean and deviation that NumPy finds, and other data take the numbers of the training part', () => {
  const [own, other] = standardized(train, unseen);
  // x = np.float32([[1, 5, .1], [2, 5, .4], [4, 5, .2], [9, 5, .7]]); x.astype(float).mean(0), x.astype(float).std(0)
  const mean = [4, 5, 0.34999999962747097];
  const std = [3.082207001484488, 1, 0.2291287796263646]; // of the constant feature 0, which counts as 1
  own.normalization!.mean.forEach((value, i) => void expect(value).toBeCloseTo(mean[i]!, 12));
  own.normalization!.std.forEach((value, i) => void expect(value).toBeCloseTo(std[i]!, 12));
  const wanted = (values: ArrayLike<number>) => Float32Array.from(values, (x, i) => (x - mean[i % 3]!) / std[i % 3]!);
  expect([...own.values].map((x) => x.toFixed(5))).toEqual([...wanted(train.values)].map((x) => x.toFixed(5)));
  expect([...other.values].map((x) => x.toFixed(5))).toEqual([...wanted(unseen.values)].map((x) => x.toFixed(5)));
  expect(other.box).toBeUndefined();
});

test('a constant feature becomes 0 exactly, of floats and of bytes', () => {
  const labels = [0, 1, 0, 1, 0, 1, 0];
  const [floats] = standardized(dataset({ values: labels.map((_, i) => [0.1, i]), labels }));
  const pixels = Uint8Array.from({ length: 14 }, (_, i) => (i % 2 === 0 ? 77 : i));
  const [bytes] = standardized(dataset({ values: pixels, labels, sampleShape: [1, 1, 2] }));
  for (const { values } of [floats, bytes]) {
    expect([...values].filter((_, i) => i % 2 === 0)).toEqual([0, 0, 0, 0, 0, 0, 0]); // toEqual tells 0 from -0
    expect(Math.abs(values[1]!)).toBeGreaterThan(1);
  }
});

test('the box goes along, and holds every sample', () => {
  const [{ box, values }] = standardized(dataset({ ...train, box: 'observed' }));
  const [min, max] = [box!.min as number[], box!.max as number[]];
  for (let feature = 0; feature < 3; feature++) {
    const own = values.filter((_, i) => i % 3 === feature);
    expect([Math.min(...own), Math.max(...own)]).toEqual([min[feature], max[feature]]);
  }
  const pixels = dataset({ values: Uint8Array.of(0, 51, 255, 102), labels: [0, 1], sampleShape: [1, 2, 1] });
  const [images] = standardized(pixels);
  expect(images.normalization!.mean).toHaveLength(1);
  expect(images.normalization!.mean[0]).toBeCloseTo(0.4, 12);
  expect(images.box).toEqual(usualBox(images.normalization)); // what a pixel from 0 to 1 becomes
});

test('the network is told what its inputs were standardized by, and no recipe does it twice', () => {
  const [own] = standardized(train);
  const flow = new Flow({ x$: loader(own, { epochs: 1, seed: 0 }) });
  flow.introduce();
  flow.close();
  expect(flow.nodes[0]!.headers).toMatchObject([{ normalization: own.normalization }]);
  const twice = loader(own, { epochs: 1, seed: 0 }).pipe(augment([normalize({ mean: [0], std: [1] })], { seed: 0 }));
  expect(() => new Flow({ twice }).introduce()).toThrow("op 'normalize' gets samples of 'train' that are standardized");
  expect(() => standardized(own)).toThrow("'train' is standardized already");
  expect(() => standardized(train, dataset({ values: [[1]], labels: [0] }))).toThrow("and 'train' of [3]");
});

test('values that a recipe has changed have no box any more', () => {
  expect(rendered(train, [normalize({ mean: [1], std: [2] })], { seed: 0 }).box).toBeUndefined();
  expect(rendered(train, [], { seed: 0 }).box).toEqual(train.box);
});
