import { beforeAll, expect, test } from 'vitest';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { gradientsOf } from '../../../src/learn/loss/gradients.js';
import { linear } from '../../../src/learn/model/linear.js';
import { type Model, normal } from '../../../src/learn/model/model.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

test.each([false, true])(
  'bias %s: features are the inputs, and the backward pass agrees with differentiation',
  (bias) => {
    const model = linear([4, 3], { initialization: normal(1), bias });
    const weights = model.start(2);
    expect([...weights.keys()]).toEqual(bias ? ['readout/kernel', 'readout/bias'] : ['readout/kernel']);
    const x = tf.randomNormal([6, 4], 0, 1, 'float32', 1);
    const labels = tf.tensor1d([0, 1, 2, 2, 1, 0], 'int32');
    expect(model.features(weights, x).dataSync()).toEqual(x.dataSync());

    const before = tf.memory().numTensors;
    const byHand = gradientsOf(model, crossEntropy(), weights, x, labels);
    expect(tf.memory().numTensors - before).toBe(2 + weights.size);
    const { pullback: _, ...automatic } = model;
    const reference = gradientsOf(automatic satisfies Model, crossEntropy(), weights, x, labels);
    expect(byHand.loss.dataSync()[0]).toBeCloseTo(reference.loss.dataSync()[0]!, 6);
    for (const [name, gradient] of byHand.gradients) {
      expect(tf.max(tf.abs(tf.sub(gradient, reference.gradients.get(name)!))).dataSync()[0], name).toBeLessThan(1e-6);
    }
  },
);

test('sizes that are none are refused', () => {
  expect(() => linear([2, 0])).toThrow('a linear model of sizes [2, 0] was asked for');
});
