import { describe, expect, test } from 'vitest';
import { decomposedSigma, exactDense, exactSigma, patch } from '../../../src/learn/spectral/exact.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { deviation, type GoldenTensor, golden } from '../../golden.js';
import { kernelOf, sigmaByDefinition } from './reference.js';

const runtime = await loadTensorFlow();

/** ∂σ²/∂W from what the search gives. */
function gradient(kernel: tf.Tensor4D, found: Float32Array): ArrayLike<number> {
  return tf.tidy(() => {
    const p = tf.tensor2d(found, [2, found.length / 2]);
    const w = kernel.reshape([found.length / 2, -1]) as tf.Tensor2D;
    return tf.mul(tf.matMul(p, tf.matMul(p, w), true), 2).dataSync();
  });
}

const vectors = golden<
  { kernel: GoldenTensor; height: number; width: number; stride: number },
  { sigma: number; gradSigmaSquared?: GoldenTensor }
>('conv-spectral-norm');

describe.skipIf(vectors === undefined || runtime.kind !== 'native')('reference vectors: conv-spectral-norm', () => {
  test.each(vectors ?? [])('$name', ({ input, expected, tolerance }) => {
    const shape = input.kernel.shape as [number, number, number, number];
    const kernel = tf.tensor4d(input.kernel.data, shape);
    const { sigma, bound, wave } = exactSigma(kernel, input);
    expect(deviation([sigma], [expected.sigma], tolerance)).toBeLessThanOrEqual(1);
    expect(bound).toBeLessThan(1e-5 * sigma);
    if (expected.gradSigmaSquared) {
      expect(deviation(gradient(kernel, wave!.patch), expected.gradSigmaSquared.data, tolerance)).toBeLessThanOrEqual(
        1,
      );
    }
    const composed = decomposedSigma(kernel, input);
    expect(deviation([composed.sigma], [expected.sigma], tolerance)).toBeLessThanOrEqual(1);
    const found = patch(composed, input, shape);
    if (expected.gradSigmaSquared) {
      expect(deviation(gradient(kernel, found), expected.gradSigmaSquared.data, tolerance)).toBeLessThanOrEqual(1);
    }
  });
});

describe.skipIf(runtime.kind !== 'native')('exact σ', () => {
  test.each<[string, [number, number, number, number], number, number, number]>([
    ['more outputs than inputs', [3, 3, 2, 9], 6, 6, 1],
    ['more inputs than outputs, not square', [3, 3, 9, 2], 4, 10, 2],
    ['a kernel that is not square', [1, 3, 3, 4], 5, 7, 1],
    ['a kernel smaller than its stride', [2, 2, 3, 4], 6, 9, 3],
    ['a kernel larger than its input', [5, 5, 2, 3], 2, 4, 1],
    ['a size that the stride does not divide', [3, 3, 2, 3], 5, 7, 2],
    ['the same, taps meeting', [3, 3, 2, 3], 1, 3, 2],
  ])('%s', (_, shape, height, width, stride) => {
    const kernel = kernelOf(shape);
    const wanted = sigmaByDefinition(kernel, height, width, stride);
    const { sigma, bound } = exactSigma(kernel, { height, width, stride });
    expect(sigma / wanted).toBeCloseTo(1, 6);
    expect(sigma + bound).toBeGreaterThanOrEqual(wanted * (1 - 1e-7)); // the reference is in float64
    expect(bound).toBeLessThan(1e-5 * sigma);
  });

  test('where it begins changes nothing', () => {
    const kernel = kernelOf([3, 3, 5, 6]);
    const grid = { height: 8, width: 8, stride: 1 };
    const first = exactSigma(kernel, grid);
    for (const from of [7, 36, first.wave!.frequency]) {
      expect(exactSigma(kernel, grid, { from }).sigma / first.sigma).toBeCloseTo(1, 6);
    }
  });

  test('of frequencies that differ by little the largest is found', () => {
    // P(ω) = a + b e^{iω} has |P| ≤ a + b, reached at ω = 0 only
    const kernel = tf.tensor4d([1, 0.01], [1, 2, 1, 1]);
    const { sigma, wave } = exactSigma(kernel, { height: 1, width: 64, stride: 1 }, { from: 30 });
    expect(sigma).toBeCloseTo(1.01, 7);
    expect(wave!.frequency).toBe(0);
  });

  test('zeros have σ = 0, and a mean of zero does not disturb', () => {
    expect(exactSigma(tf.zeros([3, 3, 2, 2]), { height: 4, width: 4, stride: 1 })).toMatchObject({
      sigma: 0,
      bound: 0,
    });
    const difference = tf.tensor4d([1, -1], [1, 2, 1, 1]); // nothing at frequency 0, where the search begins
    expect(exactSigma(difference, { height: 4, width: 4, stride: 1 }).sigma).toBeCloseTo(2, 6);
  });

  test('what is not finite has none, and says so', () => {
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const kernel = tf.tensor4d([1, odd], [1, 2, 1, 1]);
      const search = () => exactSigma(kernel, { height: 4, width: 4, stride: 1 });
      expect(search).toThrow('a kernel is not finite: it has no spectral norm');
    }
  });

  test('it leaves no tensor', () => {
    const kernel = kernelOf([3, 3, 2, 3]);
    const before = tf.memory().numTensors;
    exactSigma(kernel, { height: 4, width: 4, stride: 2 });
    exactSigma(kernel, { height: 5, width: 5, stride: 2 });
    decomposedSigma(kernel, { height: 4, width: 4, stride: 2 });
    expect(tf.memory().numTensors).toBe(before);
  });
});

test('a dense layer', () => {
  const kernel = tf.tensor2d([3, 0, 4, 0, 0, 1], [2, 3]);
  const { sigma, bound } = exactDense(kernel);
  expect(sigma).toBeCloseTo(Math.sqrt((26 + Math.sqrt(640)) / 2), 5); // of WWᵀ = [[25, 4], [4, 1]]
  expect(bound).toBeLessThan(1e-5 * sigma);
});
