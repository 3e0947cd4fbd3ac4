import { beforeAll, expect, test } from 'vitest';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { gradientsOf } from '../../../src/learn/loss/gradients.js';
import { type ActivationName, activations } from '../../../src/learn/model/activation.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { type Model, normal, type Weights } from '../../../src/learn/model/model.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const large = { initialization: normal(0.7) };

test('names, shapes and a start that is a function of the seed', () => {
  const model = mlp([5, 4, 3, 2]);
  const weights = model.start(1);
  expect([...weights].map(([name, tensor]) => [name, tensor.shape])).toEqual([
    ['hidden1/kernel', [5, 4]],
    ['hidden1/bias', [4]],
    ['hidden2/kernel', [4, 3]],
    ['hidden2/bias', [3]],
    ['readout/kernel', [3, 2]],
    ['readout/bias', [2]],
  ]);
  expect(model.featureLayers.map((layer) => layer.name)).toEqual(['hidden1', 'hidden2']);
  const [first, again, other] = [weights, model.start(1), model.start(2)].map((w) => [
    ...w.get('hidden1/kernel')!.dataSync(),
  ]);
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

test('kernels and biases start from N(0, 0.01²)', () => {
  const weights = mlp([100, 200, 2]).start(3);
  const deviation = (values: ArrayLike<number>) =>
    Math.sqrt([...Array.from(values)].reduce((s, x) => s + x * x, 0) / values.length);
  expect(deviation(weights.get('hidden1/kernel')!.dataSync())).toBeCloseTo(0.01, 3);
  expect(deviation(weights.get('hidden1/bias')!.dataSync())).toBeCloseTo(0.01, 2.5);
});

test('every linear layer but the first is divided by √width, its bias included', () => {
  const sizes = [2, 4, 9, 2];
  const model = mlp(sizes, { activation: 'relu' });
  const weights = new Map([...model.start(0)].map(([name, tensor]) => [name, tf.onesLike(tensor)]));
  const x = tf.tensor2d([[1, 2]]);
  // h1 = 1 + 2 + 1 = 4; h2 = (4·4 + 1)/√4 = 8.5; logits = (9·8.5 + 1)/√9
  expect([...model.features(weights, x).dataSync()]).toEqual(Array(9).fill(8.5));
  expect(model.logits(weights, x).dataSync()[0]).toBeCloseTo((9 * 8.5 + 1) / 3, 5);
  expect(mlp(sizes, { activation: 'relu', scale: 'none' }).logits(weights, x).dataSync()[0]).toBe(9 * 17 + 1);
});

test.each(Object.keys(activations) as ActivationName[])(
  '%s: the backward pass by hand agrees with differentiation',
  (activation) => {
    const model = mlp([5, 7, 6, 3], { activation, ...large });
    const weights = model.start(4);
    const x = tf.randomNormal([8, 5], 0, 1, 'float32', 5);
    const labels = tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1], 'int32');
    const { pullback: _, ...automatic } = model;

    const before = tf.memory().numTensors;
    const byHand = gradientsOf(model, crossEntropy(), weights, x, labels);
    expect(tf.memory().numTensors - before).toBe(2 + weights.size);
    const reference = gradientsOf(automatic satisfies Model, crossEntropy(), weights, x, labels);
    expect(tf.memory().numTensors - before).toBe(2 * (2 + weights.size));

    expect(byHand.loss.dataSync()[0]).toBeCloseTo(reference.loss.dataSync()[0]!, 5);
    expect(byHand.correct.dataSync()).toEqual(reference.correct.dataSync());
    for (const [name, gradient] of byHand.gradients) {
      const difference = tf.max(tf.abs(tf.sub(gradient, reference.gradients.get(name)!))).dataSync()[0];
      expect(difference, name).toBeLessThan(1e-6);
    }
  },
);

test.each(Object.entries(activations))('%s: slope and its bound', (_, { value, derivative, lipschitz }) => {
  const z = tf.linspace(-4, 4, 4001).reshape([1, -1]) as tf.Tensor2D;
  const values = value(z).dataSync();
  const slopes = derivative(z).dataSync();
  expect(Math.max(...slopes)).toBeCloseTo(lipschitz, 5);
  for (let i = 100; i < 4000; i += 500) {
    expect(slopes[i]).toBeCloseTo((values[i + 1]! - values[i - 1]!) / 0.004, 2);
  }
});

test('gelu is by erf, not its tanh approximation', () => {
  const found = activations.gelu.value(tf.tensor2d([[-2, 0, 1]])).dataSync();
  expect([...found]).toEqual([-0.0455003, 0, 0.8413447].map((x) => expect.closeTo(x, 6)));
});

test('sizes without a hidden layer are refused', () => {
  expect(() => mlp([784, 10])).toThrow('an MLP of sizes [784, 10] was asked for');
});

beforeAll(() => loadTensorFlow());

const matrix = (rows: number, columns: number, seed: number): tf.Tensor2D =>
  tf.randomNormal([rows, columns], 0, 1, 'float32', seed) as tf.Tensor2D;

const sum = (...tensors: tf.Tensor[]): number =>
  tf.tidy(() => tf.sum(tensors.reduce((a, b) => tf.mul(a, b))).dataSync()[0]!);

test.each(Object.keys(activations) as ActivationName[])(
  '%s: products with ∇Φ and their gradients agree with differentiation',
  (activation) => {
    const model = mlp([5, 7, 6, 3], { activation, initialization: normal(0.7) });
    const weights = model.start(4);
    const x = matrix(8, 5, 5);
    const p = matrix(8, 5, 6);
    const q = matrix(8, 6, 7);

    const before = tf.memory().numTensors;
    const linearization = model.jacobian!.at!(weights, x);
    const gradients = linearization.gradients(p, q);
    const [image, back] = [linearization.forward(p), linearization.backward(q)];
    linearization.dispose();
    expect(tf.memory().numTensors - before).toBe(4 + 2);

    const reference = tf.grad((x) => tf.sum(tf.mul(model.features(weights, x), q)))(x);
    expect(tf.max(tf.abs(tf.sub(back, reference))).dataSync()[0]).toBeLessThan(2e-6);
    expect(sum(q, image)).toBeCloseTo(sum(p, back), 4);
    expect([...model.jacobian!.forward(weights, x, p).dataSync()]).toEqual([...image.dataSync()]);

    // qᵀ∇Φp = ⟨∇(qᵀΦ), p⟩, whose slope along a random change of all weights is a difference quotient
    const form = (at: Weights) => sum(p, model.jacobian!.backward(at, x, q));
    for (const [name, gradient] of gradients) {
      const along = tf.randomNormal(gradient.shape, 0, 1, 'float32', 8);
      const moved = (by: number) =>
        new Map([...weights, [name, tf.add(weights.get(name)!, tf.mul(along, by))]]) as Weights;
      const slope = sum(gradient, along);
      const step = activation === 'relu' ? 1e-4 : 1e-2; // ReLU: no kink may lie between
      const difference = (form(moved(step)) - form(moved(-step))) / (2 * step);
      expect(Math.abs(difference - slope), name).toBeLessThan(0.01 * (1 + Math.abs(slope)));
    }
  },
);
