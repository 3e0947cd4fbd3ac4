import { beforeAll, describe, expect, test } from 'vitest';
import { mlp } from '../../../src/learn/model/mlp.js';
import {
  batchSpectralShrinkage,
  shrinkage,
  shrinkageGradient,
} from '../../../src/learn/regularizer/batch-spectral-shrinkage.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { deviation, type GoldenTensor, golden } from '../../golden.js';

beforeAll(() => loadTensorFlow());

const vectors = golden<{ features: GoldenTensor; k: number }, { penalty: number; gradient: GoldenTensor }>(
  'batch-spectral-shrinkage',
);

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
    const one = batchSpectralShrinkage(mlp([2, 4, 2]), { gamma: 1, smallest: 4 });
    expect(() => one.featuresGradient!(tall(), tf.tensor1d([]))).toThrow(
      "'batch-spectral-shrinkage' is to shrink the 4 smallest singular values, but a batch of 5 samples and 3 features has only 3",
    );
    const broken = tf.tensor2d([[1, Number.NaN]]);
    expect(() =>
      batchSpectralShrinkage(mlp([2, 4, 2]), { gamma: 1 }).featuresGradient!(broken, tf.tensor1d([])),
    ).toThrow("'batch-spectral-shrinkage' was handed features that are not finite");
    expect(() => batchSpectralShrinkage(mlp([2, 4, 2]), { gamma: 1, smallest: 0 })).toThrow('was given smallest = 0');
  });
});
