import { beforeAll, expect, test } from 'vitest';
import { keyed } from '../../../src/flow/random.js';
import { modelOf } from '../../../src/learn/model/described.js';
import { model } from '../../../src/learn/model/layered.js';
import { dense, lipschitzConv, lipschitzDense, maxMin, relu } from '../../../src/learn/model/layers.js';
import { contracted } from '../../../src/learn/model/lipschitz-layers.js';
import { normal } from '../../../src/learn/model/model.js';
import { lipschitz, sigmaAtMost } from '../../../src/measure/certificate/lipschitz.js';
import { hasNative } from '../../../src/tensorflow/ops/eager.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const normals = (shape: number[], key: number): tf.Tensor => {
  const random = keyed(key, 'lipschitz test');
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
};

test('a dense kernel of orthogonal outputs becomes orthonormal, and any other one has σ ≤ 1', () => {
  const orthogonal = tf.tensor4d([3, 4, -8, 6], [1, 1, 2, 2]); // columns (3, −8) and (4, 6) are not orthogonal: rows are
  const columns = tf.transpose(orthogonal, [0, 1, 3, 2]);
  const found = contracted(columns, 1).dataSync();
  for (const [i, value] of [0.6, -0.8, 0.8, 0.6].entries()) expect(found[i]).toBeCloseTo(value, 5);
  for (const key of [1, 2, 3]) {
    const kernel = tf.reshape(contracted(tf.mul(normals([1, 1, 20, 12], key), 10 ** key), 1), [20, 12]);
    const sigma = sigmaAtMost(kernel as tf.Tensor2D);
    expect(sigma).toBeLessThan(1 + 1e-5);
    expect(sigma).toBeGreaterThan(0.5);
  }
  expect([...contracted(tf.zeros([1, 1, 2, 2]), 1).dataSync()]).toEqual([0, 0, 0, 0]);
});

/** The matrix of a convolution layer without a bias, from its images of the unit maps. */
function matrixOf(options: Parameters<typeof lipschitzConv>[1], size: number): tf.Tensor2D {
  const initialization = normal(1);
  const net = model({
    inputShape: [size, size, 2],
    layers: [lipschitzConv(3, { ...options, bias: false, initialization }), dense(2)],
  });
  return net.features(net.start(5), tf.reshape(tf.eye(size * size * 2), [-1, size, size, 2]));
}

const cases = [
  { size: 3, stride: 1, padding: 'circular', images: 6 },
  { size: 3, stride: 1, padding: 'zero', images: 5 },
  { size: 3, stride: 2, padding: 'circular', images: 6 },
  { size: 3, stride: 2, padding: 'circular', images: 5 },
  { size: 3, stride: 2, padding: 'zero', images: 5 },
  { size: 5, stride: 1, padding: 'circular', images: 3 },
  { size: 5, stride: 3, padding: 'zero', images: 7 },
] as const;

test.for(cases)('a convolution has σ ≤ 1: %o', ({ images, ...options }, { skip }) => {
  if (!hasNative()) return skip('convolutions need the native runtime');
  const sigma = sigmaAtMost(matrixOf(options, images));
  expect(sigma).toBeLessThan(1 + 1e-5);
  expect(sigma).toBeGreaterThan(0.1);
});

test('ratios of distances stay below 1 through all layers, and L of the feature map is 1', () => {
  const net = model({
    inputShape: [12],
    layers: [lipschitzDense(16), maxMin(), lipschitzDense(16), relu(), lipschitzDense(8), dense(3)],
  });
  const weights = net.start(1);
  const [a, away] = [normals([64, 12], 1), normals([64, 12], 2)];
  for (const length of [1e-2, 1, 10]) {
    const by = tf.mul(away, length);
    const moved = tf.sub(net.features(weights, tf.add(a, by)), net.features(weights, a));
    const ratios = tf.div(tf.norm(moved, 2, 1), tf.norm(by, 2, 1)).dataSync();
    expect(Math.max(...ratios)).toBeLessThan(1 + 1e-4);
    expect(Math.max(...ratios)).toBeGreaterThan(0.05);
  }
  expect(lipschitz('certificate', net, weights).l2).toBeCloseTo(1, 4);
});

test('maxMin keeps the norm, and refuses an odd number of channels', () => {
  const net = model({ inputShape: [4], layers: [maxMin(), dense(2)] });
  const found = net.features(net.start(0), tf.tensor2d([[1, 5, 3, 2]]));
  expect([...found.dataSync()]).toEqual([3, 5, 1, 2]);
  expect(() => model({ inputShape: [3], layers: [maxMin(), dense(2)] })).toThrow("layer 'maxMin1' pairs channels");
});

test('a network is made anew from its description, with the same outputs', ({ skip }) => {
  if (!hasNative()) return skip('convolutions need the native runtime');
  const net = model({
    inputShape: [6, 6, 2],
    layers: [lipschitzConv(4, { stride: 2, bias: false }), maxMin(), lipschitzDense(6), maxMin(), dense(3)],
  });
  const weights = net.start(1);
  const anew = modelOf(net.architecture!, new Map([...weights].map(([name, { shape }]) => [name, shape])));
  const x = normals([3, 6, 6, 2], 1);
  expect([...anew.start(1).keys()]).toEqual([...weights.keys()]);
  expect(anew.logits(weights, x).arraySync()).toEqual(net.logits(weights, x).arraySync());
});
