import { beforeAll, describe, expect, test } from 'vitest';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { gradientsOf } from '../../../src/learn/loss/gradients.js';
import { model } from '../../../src/learn/model/layered.js';
import { dense, gelu } from '../../../src/learn/model/layers.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { type Model, normal, type Weights } from '../../../src/learn/model/model.js';
import { defineRegularizer, type OwnRegularizer } from '../../../src/learn/regularizer/automatic-regularizer.js';
import { l2Sp } from '../../../src/learn/regularizer/l2-sp.js';
import type { Regularizer, Strength } from '../../../src/learn/regularizer/regularizer.js';
import { regularizerTests } from '../../../src/run/testing/regularizer-tests.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const squares = (weights: Weights): tf.Scalar =>
  tf.mul(tf.addN([...weights.values()].map((weight) => tf.sum(tf.square(weight)))), 0.5);
const spread = (features: tf.Tensor2D): tf.Scalar => tf.mean(tf.square(tf.sub(features, tf.mean(features, 0))));

const initialization = normal(0.7);
const ofLayers = (): Model =>
  model({ inputShape: [5], layers: [dense(6, { initialization }), gelu(), dense(3, { initialization })] });

describe.each<[string, Pick<OwnRegularizer, 'ofWeights' | 'ofFeatures'>]>([
  ['of weights', { ofWeights: squares }],
  ['of features', { ofFeatures: spread }],
  ['of both', { ofWeights: squares, ofFeatures: spread }],
])('a term %s', (_, terms) => {
  const make = (_: Model, strength: Strength): Regularizer => defineRegularizer({ kind: 'own', ...strength, ...terms });
  for (const { name, run } of regularizerTests({ make })) test(`${name}, of a network by hand`, run);
  for (const { name, run } of regularizerTests({ make, model: ofLayers })) test(`${name}, of layers`, run);
});

test('its gradients are those of the one by hand', () => {
  const network = mlp([2, 4, 2]);
  const weights = network.start(1);
  const origin = () => new Map([...weights].map(([name, one]) => [name, tf.zerosLike(one)]));
  const gradientsBy = (one: Regularizer) => {
    const { gradients } = gradientsOf(
      network,
      crossEntropy(),
      weights,
      tf.ones([3, 2]),
      tf.tensor1d([0, 1, 1], 'int32'),
    );
    one.addGradients!({ weights }, gradients);
    return [...gradients.values()].flatMap((gradient) => [...gradient.dataSync()]);
  };
  const byHand = gradientsBy(l2Sp(network, { gamma: 0.5, beta: 0.5, start: origin }));
  const found = gradientsBy(defineRegularizer({ kind: 'own', gamma: 0.5, ofWeights: squares }));
  for (const [i, value] of found.entries()) expect(value).toBeCloseTo(byHand[i]!, 6);
});

test.each<[string, Partial<OwnRegularizer>, string]>([
  ['no term', {}, "regularizer 'own' has no term"],
  ['a vector', { ofWeights: () => tf.ones([2]) as never }, "regularizer 'own' returned a tensor of shape [2]"],
  ['a number', { ofWeights: () => 3 as never }, "regularizer 'own' returned no tensor: 3"],
  ['a constant', { ofWeights: () => tf.scalar(1) }, "regularizer 'own' cannot be differentiated"],
  ['a misspelled option', { ofWeight: squares } as object, "defineRegularizer has no option 'ofWeight'"],
])('%s is refused by name', (_, terms, message) => {
  const weights = mlp([2, 4, 2]).start(1);
  const gradients = new Map([...weights].map(([name, one]) => [name, tf.zerosLike(one)]));
  expect(() => defineRegularizer({ kind: 'own', gamma: 1, ...terms }).addGradients!({ weights }, gradients)).toThrow(
    message,
  );
});
