import { beforeAll, expect, test } from 'vitest';
import { normal } from '../../../src/learn/model/initialization.js';
import { mlp } from '../../../src/learn/model/model-mlp.js';
import type { Weights } from '../../../src/learn/model/model-model.js';
import { type ActivationName, activations } from '../../../src/learn/model/named.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/device-tf.js';

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
    const here = model.jacobian!.at!(weights, x);
    const gradients = here.gradients(p, q);
    const [image, back] = [here.forward(p), here.backward(q)];
    here.dispose();
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
