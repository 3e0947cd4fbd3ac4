import { beforeAll, expect, test } from 'vitest';
import { mlp } from '../../../src/learn/model/mlp.js';
import { regularizer } from '../../../src/learn/regularizer/registry.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

test('weight decay in numbers: γ/2 of the squares of all kernels, biases left alone', () => {
  const model = mlp([3, 2, 2]);
  const weights = new Map([...model.start(0)].map(([name, w]) => [name, tf.fill(w.shape, -2)]));
  const input = { weights, x: tf.zeros([1, 3]), labels: tf.tensor1d([0], 'int32'), features: tf.zeros([1, 2]) };
  const one = regularizer('weight-decay', model, { gamma: 0.5, from: { epoch: 3 } });
  expect([3, 4].map(one.active)).toEqual([false, true]);
  expect(one.value(input as Parameters<typeof one.value>[0])).toBeCloseTo(0.25 * 4 * (3 * 2 + 2 * 2), 6);
  const gradients = new Map([...weights].map(([name, w]) => [name, tf.zerosLike(w)]));
  one.addGradients!(input, gradients);
  expect(gradients.get('hidden1/kernel')!.dataSync()[0]).toBeCloseTo(-1, 6);
  expect(gradients.get('readout/kernel')!.dataSync()[0]).toBeCloseTo(-1, 6);
  expect(gradients.get('hidden1/bias')!.dataSync()[0]).toBe(0);
});
