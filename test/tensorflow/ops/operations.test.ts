import { beforeAll, expect, test } from 'vitest';
import { statelessNormal } from '../../../src/tensorflow/ops/eager.js';
import { relu, reluGrad } from '../../../src/tensorflow/ops/fused.js';
import { batchMatMul, jacobi, type Svd, singularValues, svd } from '../../../src/tensorflow/ops/spectral.js';
import { loadTensorFlow, type Runtime, tf } from '../../../src/tensorflow/tf.js';

let loaded: Runtime;
beforeAll(async () => {
  loaded = await loadTensorFlow();
});

const values = (x: tf.Tensor) => Array.from(x.dataSync());
const close = (x: tf.Tensor, wanted: number[], digits = 5) => {
  const found = values(x);
  expect(found.length).toBe(wanted.length);
  found.forEach((value, i) => {
    expect(value, `element ${i}`).toBeCloseTo(wanted[i]!, digits);
  });
};

test('the rectifier passes the gradient where its input was positive', () => {
  const x = tf.tensor1d([-1, 0, 2]);
  expect(values(relu(x))).toEqual([0, 0, 2]);
  expect(values(tf.grad((x) => tf.sum(tf.mul(relu(x), 3)))(x))).toEqual([0, 0, 3]);
  expect(values(reluGrad(tf.tensor1d([5, 5, 5]), x))).toEqual([0, 0, 5]);
});

test('normal noise is a function of its key and has mean 0 and variance 1', () => {
  const noise = statelessNormal([200, 500], [3, -4]);
  expect(values(statelessNormal([200, 500], [3, -4]))).toEqual(values(noise));
  expect(values(statelessNormal([4], [3, -5]))).not.toEqual(values(statelessNormal([4], [3, -4])));
  const { mean, variance } = tf.moments(noise);
  close(mean, [0], 1);
  close(variance, [1], 1);
});

test.each([
  [3, 2],
  [2, 3],
])('the singular value decomposition of a %i × %i matrix gives it back', (m, n) => {
  const a = tf.tensor2d([3, 1, -2, 4, 0.5, 6], [m, n]);
  for (const { s, u, v } of [svd(a), jacobi(a)] as Svd[]) {
    expect([s.shape, u.shape, v.shape]).toEqual([[2], [m, 2], [n, 2]]);
    close(tf.matMul(tf.mul(u, s) as tf.Tensor2D, v as tf.Tensor2D, false, true), values(a));
    close(singularValues(a), values(s));
  }
});

test('complex matrices have products, adjoints and singular values on the native runtime', ({ skip }) => {
  if (loaded.kind !== 'native') skip('needs the native TensorFlow runtime');
  const x = tf.complex(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([0, 1, 0, 0], [2, 2]));
  const gram = batchMatMul(x, x, 'a');
  close(tf.real(gram), [10, 14, 14, 21]);
  close(tf.imag(gram), [0, 1, -1, 0]);
  const [first, second] = values(singularValues(x)) as [number, number];
  expect(first ** 2 + second ** 2).toBeCloseTo(31, 4);
});

test('operations of an unloaded runtime are refused with what to do', async () => {
  expect(loaded.threads).toBeGreaterThan(0);
});
