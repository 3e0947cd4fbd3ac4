import { beforeAll, describe, expect, test } from 'vitest';
import { normal } from '../../../src/learn/model/initialization.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import {
  batchSpectralShrinkage,
  shrinkage,
  shrinkageGradient,
} from '../../../src/learn/regularizer/batch-spectral-shrinkage.js';
import { regularizer } from '../../../src/learn/regularizer/registry.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { deviation, type GoldenTensor, golden } from '../../golden.js';

beforeAll(() => loadTensorFlow());

const large = { initialization: normal(0.7) };
const vectors = golden<{ features: GoldenTensor; k: number }, { penalty: number; gradient: GoldenTensor }>(
  'batch-spectral-shrinkage',
);
const metric = golden<
  {
    network: Record<'hiddenKernel' | 'hiddenBias' | 'readoutKernel' | 'readoutBias', GoldenTensor>;
    points: GoldenTensor;
  },
  { topEigenvalue: GoldenTensor }
>('metric');

describe.skipIf(vectors === undefined)('reference vectors: batch spectral shrinkage', () => {
  test.each(vectors ?? [])('$name', ({ input, expected, tolerance }) => {
    const features = tf.tensor2d(input.features.data, input.features.shape as [number, number]);
    expect(deviation([shrinkage(features, input.k)], [expected.penalty], tolerance)).toBeLessThan(1);
    const gradient = shrinkageGradient(features, input.k).dataSync();
    expect(deviation(gradient, expected.gradient.data, tolerance)).toBeLessThan(1);
  });
});

describe('batch spectral shrinkage', () => {
  /** Orthogonal columns of lengths 1, 2, 3, in more rows than columns. */
  const tall = () =>
    tf.tensor2d([
      [1, 0, 0],
      [0, 2, 0],
      [0, 0, 3],
      [0, 0, 0],
      [0, 0, 0],
    ]);

  test('a batch larger than the width is regularized', () => {
    expect(shrinkage(tall(), 1)).toBeCloseTo(1, 6);
    expect(shrinkage(tall(), 2)).toBeCloseTo(5, 5);
    const gradient = [...shrinkageGradient(tall(), 2).dataSync()];
    expect(gradient.map((x) => Math.round(1e5 * x) / 1e5 + 0)).toEqual([2, 0, 0, 0, 4, ...Array(10).fill(0)]);
  });

  test('a batch of lower rank has a finite gradient, 0 in what it lacks', () => {
    const flat = tf.ones([6, 4]) as tf.Tensor2D; // rank 1
    for (const batch of [flat, tf.zeros([4, 4]) as tf.Tensor2D]) {
      const largest = tf.max(tf.abs(shrinkageGradient(batch, 3))).dataSync()[0]!;
      expect(largest).toBeLessThan(1e-5);
    }
    expect(shrinkage(flat, 4)).toBeCloseTo(24, 4); // all of them: ‖F‖_F²
  });

  test('what cannot be shrunk is refused', () => {
    const one = batchSpectralShrinkage({ gamma: 1, smallest: 4 });
    expect(() => one.featuresGradient!(tall(), tf.tensor1d([]))).toThrow(
      "'batch-spectral-shrinkage' is to shrink the 4 smallest singular values, but a batch of 5 samples and 3 features has only 3",
    );
    const broken = tf.tensor2d([[1, Number.NaN]]);
    expect(() => batchSpectralShrinkage({ gamma: 1 }).featuresGradient!(broken, tf.tensor1d([]))).toThrow(
      "'batch-spectral-shrinkage' was handed features that are not finite",
    );
    expect(() => batchSpectralShrinkage({ gamma: 1, smallest: 0 })).toThrow('was given smallest = 0');
  });
});

test.each([2, 3, 5])('cross-Lipschitz of %i logits is the sum over pairs', (classes) => {
  const model = mlp([4, 6, 5, classes], large);
  const weights = model.start(3);
  const x = tf.randomNormal([7, 4], 0, 1, 'float32', 2);
  const slopes = Array.from({ length: classes }, (_, k) =>
    tf
      .grad((x) => tf.sum(tf.slice(model.logits(weights, x), [0, k], [-1, 1])))(x)
      .dataSync(),
  );
  const pairs = slopes.flatMap((a) =>
    slopes.map((b) => Array.from(a).reduce((sum: number, ai: number, i: number) => sum + (ai - b[i]!) ** 2, 0)),
  );
  const sum = pairs.reduce((sum, pair) => sum + pair, 0);
  const value = regularizer('cross-lipschitz', model, { gamma: 2 }).value({
    ...{ weights, x, labels: tf.tensor1d([]), features: model.features(weights, x) },
  });
  expect(value).toBeCloseTo((2 * sum) / (7 * classes ** 2), 4);
});

describe.skipIf(metric === undefined)('reference vectors: the top eigenvalue of the metric', () => {
  test.each(metric ?? [])('$name', ({ input: { network, points }, expected, tolerance }) => {
    const tensor = ({ data, shape }: GoldenTensor) => tf.tensor(data, shape);
    const [inputs, hidden] = network.hiddenKernel.shape as [number, number];
    const model = mlp([inputs, hidden, network.readoutBias.shape[0]!], { scale: 'none' });
    const weights = new Map([
      ['hidden1/kernel', tensor(network.hiddenKernel)],
      ['hidden1/bias', tensor(network.hiddenBias)],
      ['readout/kernel', tensor(network.readoutKernel)],
      ['readout/bias', tensor(network.readoutBias)],
    ]);
    const one = regularizer('feature-jacobian', model, { gamma: 2, iterations: 300 });
    const found = Array.from({ length: points.shape[0]! }, (_, i) => {
      const x = tf.tensor2d(points.data.slice(i * inputs, (i + 1) * inputs), [1, inputs]);
      return one.value({ weights, x, labels: tf.tensor1d([]), features: model.features(weights, x) });
    });
    expect(deviation(found, expected.topEigenvalue.data, tolerance)).toBeLessThan(1);
  });
});

test('L2-SP in numbers, and what it says of a starting point that does not fit', () => {
  const model = mlp([1, 1, 2], large);
  const all = (value: number) => new Map([...model.start(0)].map(([name, w]) => [name, tf.fill(w.shape, value)]));
  const look = {
    weights: all(3),
    x: tf.zeros([1, 1]),
    labels: tf.tensor1d([]),
    features: tf.zeros([1, 1]) as tf.Tensor2D,
  };
  const one = regularizer('l2-sp', model, { gamma: 0.1, beta: 0.01, start: () => all(1) });
  // two weights 2 away from where they started; four of the readout 3 away from 0
  expect(one.value(look)).toBeCloseTo(0.05 * 2 * 4 + 0.005 * 4 * 9, 6);
  const gradients = all(5);
  one.addGradients!(look, gradients);
  expect(gradients.get('hidden1/bias')!.dataSync()[0]).toBeCloseTo(5 + 0.1 * 2, 6);
  expect(gradients.get('readout/bias')!.dataSync()[0]).toBeCloseTo(5 + 0.01 * 3, 6);

  const saved = one.save!();
  const again = (value: number) => {
    const resumed = regularizer('l2-sp', model, { gamma: 0.1, beta: 0.01, start: () => all(value) });
    resumed.load!(saved);
    return resumed.value(look);
  };
  expect(again(1)).toBe(one.value(look));
  expect(() => again(2)).toThrow('these are others than before the resume');

  const astray = regularizer('l2-sp', model, { gamma: 0.1, start: () => mlp([2, 1, 2]).start(0) });
  expect(() => astray.value(look)).toThrow(
    "'l2-sp' pulls 'hidden1/kernel' of [1, 1] towards its starting point, which has it as [2, 1]",
  );
});
