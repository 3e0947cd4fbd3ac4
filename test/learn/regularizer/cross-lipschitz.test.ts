import { beforeAll, expect, test } from 'vitest';
import { mlp } from '../../../src/learn/model/mlp.js';
import { normal } from '../../../src/learn/model/model.js';
import { regularizer } from '../../../src/learn/regularizer/registry.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

test.each([2, 3, 5])('cross-Lipschitz of %i logits is the sum over pairs', (classes) => {
  const model = mlp([4, 6, 5, classes], { initialization: normal(0.7) });
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
    weights,
    x,
    labels: tf.tensor1d([]),
    features: model.features(weights, x),
  });
  expect(value).toBeCloseTo((2 * sum) / (7 * classes ** 2), 4);
});
