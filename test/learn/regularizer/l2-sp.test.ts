import { beforeAll, expect, test } from 'vitest';
import { mlp } from '../../../src/learn/model/mlp.js';
import { normal } from '../../../src/learn/model/model.js';
import { regularizer } from '../../../src/learn/regularizer/registry.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

test('L2-SP in numbers, and a starting point of other shapes is refused', () => {
  const model = mlp([1, 1, 2], { initialization: normal(0.7) });
  const all = (value: number) => new Map([...model.start(0)].map(([name, w]) => [name, tf.fill(w.shape, value)]));
  const input = {
    weights: all(3),
    x: tf.zeros([1, 1]),
    labels: tf.tensor1d([]),
    features: tf.zeros([1, 1]) as tf.Tensor2D,
  };
  const one = regularizer('l2-sp', model, { gamma: 0.1, beta: 0.01, start: () => all(1) });
  // two weights 2 away from where they started; four of the readout 3 away from 0
  expect(one.value(input)).toBeCloseTo(0.05 * 2 * 4 + 0.005 * 4 * 9, 6);
  const gradients = all(5);
  one.addGradients!(input, gradients);
  expect(gradients.get('hidden1/bias')!.dataSync()[0]).toBeCloseTo(5 + 0.1 * 2, 6);
  expect(gradients.get('readout/bias')!.dataSync()[0]).toBeCloseTo(5 + 0.01 * 3, 6);

  const saved = one.save!();
  const again = (value: number) => {
    const resumed = regularizer('l2-sp', model, { gamma: 0.1, beta: 0.01, start: () => all(value) });
    resumed.load!(saved);
    return resumed.value(input);
  };
  expect(again(1)).toBe(one.value(input));
  expect(() => again(2)).toThrow('these are others than before the resume');

  const astray = regularizer('l2-sp', model, { gamma: 0.1, start: () => mlp([2, 1, 2]).start(0) });
  expect(() => astray.value(input)).toThrow(
    "'l2-sp' pulls 'hidden1/kernel' of [1, 1] towards its starting point, which has it as [2, 1]",
  );
});
