import { beforeAll, expect, test } from 'vitest';
import { firstDirection, powerIterate } from '../../../src/learn/spectral/dense.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/device-tf.js';

beforeAll(() => loadTensorFlow());

test('a kernel of rank one is known after one step', () => {
  const kernel = tf.outerProduct(tf.tensor1d([0.6, 0.8]), tf.tensor1d([3, 0, 4])); // 5 · v uᵀ
  const { sigma, u, v } = powerIterate(kernel, Float32Array.of(1, 1), { steps: 1 });
  expect(sigma).toBeCloseTo(5, 5);
  expect([...u]).toEqual([0.6, 0, 0.8].map((x) => expect.closeTo(x, 6)));
  expect([...v]).toEqual([0.6, 0.8].map((x) => expect.closeTo(x, 6)));
});

test('it stops when v rests, and σ is that of the largest entry of a diagonal', () => {
  const kernel = tf.diag(tf.tensor1d([1, -7, 3])) as tf.Tensor2D;
  const { sigma, v } = powerIterate(kernel, Float32Array.of(1, 1, 1), { steps: 1000, direction: 1e-6 });
  expect(sigma).toBeCloseTo(7, 5);
  expect([...v].map(Math.abs)).toEqual([0, 1, 0].map((x) => expect.closeTo(x, 5)));
});

test('a kernel of zeros has σ = 0 and keeps its direction', () => {
  const found = powerIterate(tf.zeros([2, 3]), Float32Array.of(0.6, 0.8), { steps: 3 });
  expect(found).toEqual({ sigma: 0, u: Float32Array.of(0, 0, 0), v: Float32Array.of(0.6, 0.8) });
});

test('it leaves no tensor, and a first direction is a function of its key', () => {
  const kernel = tf.ones([4, 3]) as tf.Tensor2D;
  const before = tf.memory().numTensors;
  powerIterate(kernel, firstDirection(1, 0, 4), { steps: 5, direction: 1e-6 });
  expect(tf.memory().numTensors).toBe(before);
  expect(firstDirection(1, 0, 4)).toEqual(firstDirection(1, 0, 4));
  expect(firstDirection(1, 0, 4)).not.toEqual(firstDirection(2, 0, 4));
});
