import { beforeAll, describe, expect, test } from 'vitest';
import { erf, normalCdf, normalPdf, relu, reluGrad } from '../../../src/tensorflow/ops/fused.js';
import { batchMatMul, einsum, fft2d, fusedMatMul, ifft2d } from '../../../src/tensorflow/ops/linear.js';
import { matMulBfloat16, toBfloat16 } from '../../../src/tensorflow/ops/precision.js';
import { statelessNormal, statelessUniform } from '../../../src/tensorflow/ops/random.js';
import { jacobi, type Svd, singularValues, svd } from '../../../src/tensorflow/ops/spectral.js';
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

test('erf, Φ and φ have their known values', () => {
  close(erf(tf.tensor1d([-1, 0, 0.5, 3])), [-0.84270079, 0, 0.52049988, 0.99997791], 6);
  close(normalCdf(tf.tensor1d([-1, 0, 1.96])), [0.15865525, 0.5, 0.9750021], 6);
  close(normalPdf(tf.tensor1d([0, 1])), [0.39894228, 0.24197072], 6);
});

test('normal noise is a function of its key and has mean 0 and variance 1', () => {
  const noise = statelessNormal([200, 500], [3, -4]);
  expect(values(statelessNormal([200, 500], [3, -4]))).toEqual(values(noise));
  expect(values(statelessNormal([4], [3, -5]))).not.toEqual(values(statelessNormal([4], [3, -4])));
  const { mean, variance } = tf.moments(noise);
  close(mean, [0], 1);
  close(variance, [1], 1);
  const uniform = values(statelessUniform([1000], [1, 2]));
  expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...uniform)).toBeLessThan(1);
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

test('a dense layer is one call', () => {
  const [x, kernel, bias] = [tf.tensor2d([[1, -2]]), tf.tensor2d([[1, 2], [3, 4]]), tf.tensor1d([1, 10])]; // biome-ignore format: a matrix
  expect(values(fusedMatMul(x, kernel, bias))).toEqual([-4, 4]);
  expect(values(fusedMatMul(x, kernel, bias, 'relu'))).toEqual([0, 4]);
});

test('einsum and batched products of real matrices', () => {
  const [a, b] = [tf.tensor3d([1, 2, 3, 4], [1, 2, 2]), tf.tensor3d([1, 0, 1, 1], [1, 2, 2])];
  expect(values(einsum('bij,bjk->bik', a, b))).toEqual([3, 2, 7, 4]);
  expect(values(batchMatMul(a, b))).toEqual([3, 2, 7, 4]);
  expect(values(batchMatMul(a, b, { adjoint: 'a' }))).toEqual([4, 3, 6, 4]);
});

describe('on the native runtime', () => {
  const onNative = (name: string, body: () => void) =>
    test(name, ({ skip }) => {
      if (loaded.kind !== 'native') skip('needs the native TensorFlow runtime');
      body();
    });

  onNative('the Fourier transform there and back', () => {
    const x = tf.complex(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.zeros([2, 2]));
    const there = fft2d(x);
    expect(values(tf.real(there))).toEqual([10, -2, -4, 0]);
    expect(values(tf.real(ifft2d(there)))).toEqual([1, 2, 3, 4]);
    expect(values(singularValues(there)).length).toBe(2);
    const gram = batchMatMul(x, x, { adjoint: 'a' });
    expect(values(tf.real(gram))).toEqual([10, 14, 14, 20]);
  });

  onNative('bfloat16 rounds to eight bits and leaves no tensor behind', () => {
    const a = tf.tensor2d([1 + 2 ** -9, 2, 3, 4], [2, 2]);
    const { numTensors } = tf.memory();
    const kernel = toBfloat16(a);
    const product = matMulBfloat16(
      tf.tidy(() => tf.eye(2).add(0)),
      kernel,
    );
    expect(values(product)).toEqual([1, 2, 3, 4]);
    kernel.dispose();
    expect(tf.memory().numTensors).toBeLessThanOrEqual(numTensors + 2);
  });
});

test('operations of an unloaded runtime are refused with what to do', async () => {
  expect(loaded.threads).toBeGreaterThan(0);
});
