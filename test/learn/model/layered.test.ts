import { beforeAll, describe, expect, test } from 'vitest';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { gradientsOf } from '../../../src/learn/loss/gradients.js';
import { barlowTwins } from '../../../src/learn/loss/views.js';
import { linearizationOf } from '../../../src/learn/model/autodiff.js';
import type { ModelLayer } from '../../../src/learn/model/layer.js';
import { model } from '../../../src/learn/model/layered.js';
import * as layers from '../../../src/learn/model/layers.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Gradients, Model, Weights } from '../../../src/learn/model/model.js';
import { normal, uniform } from '../../../src/learn/model/model.js';
import { resnet } from '../../../src/learn/model/resnet/resnet.js';
import { lipschitz } from '../../../src/measure/certificate/lipschitz.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { renamed, resnet18 } from './of-layers.js';

beforeAll(() => loadTensorFlow());

const { conv, batchNorm, relu, gelu, tanh, maxPool, meanPool, dense, residual, own } = layers;

/** The largest difference of two tensors, relative to the largest value of the second. */
const apart = (a: tf.Tensor, b: tf.Tensor): number =>
  tf.tidy(() => tf.div(tf.max(tf.abs(tf.sub(a, b))), tf.max(tf.abs(b))).dataSync()[0]!);

/** A small network with every kind of layer whose Jacobian can be differentiated once more. */
const small = () =>
  model({
    inputShape: [6, 6, 2],
    layers: [
      conv(3, { initialization: normal(0.4) }),
      gelu(),
      residual([conv(3, { padding: 'zero', initialization: normal(0.4) }), relu()]),
      maxPool(),
      conv(4, { stride: 2, bias: false, initialization: normal(0.4) }),
      tanh(),
      own({
        name: 'attention',
        weights: { query: { shape: [4, 4], linear: true }, key: { shape: [4, 4] } },
        apply(x, { query, key }) {
          const rows = tf.reshape(x, [x.shape[0]!, -1, 4]) as tf.Tensor3D;
          const by = (w: tf.Tensor) => tf.reshape(tf.matMul(tf.reshape(rows, [-1, 4]), w as tf.Tensor2D), rows.shape);
          const mixed = tf.matMul(tf.softmax(tf.matMul(by(query!), by(key!), false, true)), rows);
          return tf.reshape(mixed, x.shape);
        },
      }),
      dense(5),
      layers.sigmoid(),
      dense(3),
    ],
  });

test('an MLP of layers begins with the bits of the one by hand, and learns alike', () => {
  const byHand = mlp([7, 6, 5, 3], { activation: 'gelu', scale: 'none', initialization: uniform() });
  const ofLayers = model({ inputShape: [7], layers: [dense(6), gelu(), dense(5), gelu(), dense(3)] });
  const weights = byHand.start(3);
  for (const [i, tensor] of [...ofLayers.start(3).values()].entries()) {
    expect([...tensor.dataSync()]).toEqual([...[...weights.values()][i]!.dataSync()]);
  }
  const x = tf.randomNormal([8, 7], 0, 1, 'float32', 1);
  const labels = tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1], 'int32');
  const theirs = gradientsOf(byHand, crossEntropy(), weights, x, labels);
  const ours = gradientsOf(ofLayers, crossEntropy(), renamed(weights, ofLayers), x, labels);
  expect(ours.loss.dataSync()[0]).toBeCloseTo(theirs.loss.dataSync()[0]!, 6);
  const inOrder = new Map([...weights.keys()].map((name) => [name, theirs.gradients.get(name)!]));
  agree(ours.gradients, renamed(inOrder, ofLayers), 1e-5);
  expect(ofLayers.featureLayers.map(({ name }) => name)).toEqual(['dense1', 'dense2']);
});

test('ResNet-18 of layers has the gradients, statistics and logits of the one by hand', () => {
  const byHand = resnet({ depth: 18, classes: 10, inputSize: [16, 16], width: 4 });
  const ofLayers = resnet18(4, 16);
  const weights = byHand.start(5);
  const own = renamed(weights, ofLayers);
  for (const [name, tensor] of ofLayers.start(0)) expect(own.get(name)!.shape, name).toEqual(tensor.shape);
  const x = tf.randomNormal([6, 16, 16, 3], 0, 1, 'float32', 2);
  const labels = tf.tensor1d([0, 1, 2, 3, 4, 5], 'int32');
  expect(apart(ofLayers.logits(own, x), byHand.logits(weights, x))).toBeLessThan(1e-5);
  const theirs = gradientsOf(byHand, crossEntropy(), weights, x, labels);
  const ours = gradientsOf(ofLayers, crossEntropy(), own, x, labels);
  const names = [...own.keys()].filter((name) => !ofLayers.statistics!.includes(name));
  const inOrder = [...weights.keys()].filter((name) => !byHand.statistics!.includes(name));
  agree(ours.gradients, new Map(names.map((name, i) => [name, theirs.gradients.get(inOrder[i]!)!])), 1e-4);
  expect(ours.statistics!.size).toBe(theirs.statistics!.size);
  for (const [i, tensor] of [...ours.statistics!.values()].entries()) {
    expect(apart(tensor, theirs.statistics!.get(byHand.statistics![i]!)!)).toBeLessThan(1e-4);
  }
  const [bound, theirBound] = [lipschitz('certificate', ofLayers, own), lipschitz('certificate', byHand, weights)];
  for (const norm of ['l1', 'l2', 'linf'] as const) expect(bound[norm] / theirBound[norm]).toBeCloseTo(1, 6);
});

describe('the Jacobian by differentiation', () => {
  test('is that of the MLP by hand, its gradient too', () => {
    const byHand = mlp([5, 6, 4, 3], { activation: 'gelu', scale: 'none', initialization: normal(0.7) });
    const ofLayers = model({ inputShape: [5], layers: [dense(6), gelu(), dense(4), gelu(), dense(3)] });
    const weights = byHand.start(1);
    const x = tf.randomNormal([4, 5], 0, 1, 'float32', 3);
    const p = tf.randomNormal([4, 5], 0, 1, 'float32', 4) as tf.Tensor2D;
    const q = tf.randomNormal([4, 4], 0, 1, 'float32', 5) as tf.Tensor2D;
    const theirs = byHand.jacobian!.at!(weights, x);
    const ours = linearizationOf(ofLayers)!(renamed(weights, ofLayers), x);
    expect(apart(ours.forward(p), theirs.forward(p))).toBeLessThan(1e-5);
    expect(apart(ours.backward(q), theirs.backward(q))).toBeLessThan(1e-5);
    const [found, expected] = [ours.gradients(p, q), theirs.gradients(p, q)];
    expect(found.size).toBe(4);
    for (const [i, name] of ['hidden1/kernel', 'hidden1/bias', 'hidden2/kernel', 'hidden2/bias'].entries()) {
      expect(apart([...found.values()][i]!, expected.get(name)!), name).toBeLessThan(1e-4);
    }
  });

  test('of every layer agrees with finite differences, and its gradient too; no tensor is left', () => {
    const network = small();
    const weights = network.start(2);
    const x = tf.randomNormal([2, 6, 6, 2], 0, 1, 'float32', 6);
    const p = tf.randomNormal([2, 72], 0, 1, 'float32', 7) as tf.Tensor2D;
    const q = tf.randomNormal([2, 5], 0, 1, 'float32', 8) as tf.Tensor2D;
    const before = tf.memory().numTensors;
    const at = linearizationOf(network)!(weights, x);
    const along = at.forward(p);
    const across = at.backward(q);
    const h = 1e-3;
    const moved = (step: number) => network.features(weights, tf.add(x, tf.mul(tf.reshape(p, x.shape), step)));
    const difference = tf.tidy(() => tf.div(tf.sub(moved(h), moved(-h)), 2 * h));
    expect(apart(along, difference)).toBeLessThan(1e-2);
    const pairing = (a: tf.Tensor, b: tf.Tensor) => tf.tidy(() => tf.sum(tf.mul(a, b)).dataSync()[0]!);
    expect(pairing(along, q)).toBeCloseTo(pairing(across, p), 4);
    tf.dispose([along, across, difference]);

    const gradients = at.gradients(p, q);
    at.dispose();
    const value = (name: string, step: number): number =>
      tf.tidy(() => {
        const direction = tf.sign(gradients.get(name)!);
        const there = new Map([...weights, [name, tf.add(weights.get(name)!, tf.mul(direction, step))]]);
        const moved = linearizationOf(network)!(there, x);
        const value = pairing(moved.forward(p), q);
        moved.dispose();
        return value;
      });
    for (const name of [
      'conv1/kernel',
      'residual1/conv1/kernel',
      'conv2/kernel',
      'attention1/query',
      'dense1/kernel',
    ]) {
      const slope = tf.tidy(() => tf.sum(tf.abs(gradients.get(name)!)).dataSync()[0]!);
      expect((value(name, 5e-5) - value(name, -5e-5)) / 1e-4 / slope, name).toBeCloseTo(1, 1);
    }
    tf.dispose([...gradients.values()]);
    expect(tf.memory().numTensors).toBe(before);
  });
});

test('pools take the first of equal values, as in PyTorch, and leave out what fills no window', () => {
  const net = (pool: ModelLayer) =>
    model({ inputShape: [5, 4, 1], layers: [pool, dense(1, { bias: false, initialization: (v) => v.fill(1) })] });
  const image = [1, 1, 0, 2, 1, 1, 3, -1, 0, 0, 5, 5, 0, 0, 5, 5, 9, 9, 9, 9];
  const x = tf.tensor4d(image, [1, 5, 4, 1]);
  const slope = (of: Model) => {
    const weights = of.start(0);
    return [
      ...tf
        .grad((x: tf.Tensor) => of.logits(weights, x))(x)
        .dataSync(),
    ];
  };
  expect([...net(maxPool()).features(new Map(), x).dataSync()]).toEqual([1, 3, 0, 5]);
  expect([...net(meanPool()).features(new Map(), x).dataSync()]).toEqual([1, 1, 0, 5]);
  expect(slope(net(maxPool()))).toEqual([1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(slope(net(meanPool()))).toEqual([...Array(16).fill(0.25), 0, 0, 0, 0]);
});

test('a loss over views and a step with labels leave no tensor behind', () => {
  const views = model({ inputShape: [6], layers: [dense(8), relu(), batchNorm(), dense(4)] });
  const weights = views.start(1);
  const x = tf.randomNormal([12, 6], 0, 1, 'float32', 1);
  const labels = tf.tensor1d(Array(12).fill(0), 'int32');
  const before = tf.memory().numTensors;
  for (const loss of [barlowTwins({ lambda: 0.01 }), crossEntropy()]) {
    const { loss: value, correct, gradients, statistics } = gradientsOf(views, loss, weights, x, labels);
    expect(gradients.size).toBe(6);
    expect(statistics!.size).toBe(2);
    tf.dispose([value, correct, ...gradients.values(), ...statistics!.values()]);
    expect(tf.memory().numTensors).toBe(before);
  }
});

test('a batch normalization over one value a channel is refused in training, and not in evaluation', () => {
  const network = model({ inputShape: [3], layers: [dense(4), batchNorm(), dense(2)] });
  const weights = network.start(0);
  const one = tf.ones([1, 3]);
  expect(network.logits(weights, one).shape).toEqual([1, 2]);
  expect(() => gradientsOf(network, crossEntropy(), weights, one, tf.tensor1d([0], 'int32'))).toThrow(
    "'norm1' normalizes over a single value per channel",
  );
});

test('layers that do not fit are refused by name', () => {
  const made = (...list: ModelLayer[]) => model({ inputShape: [4, 4, 1], layers: list });
  expect(() => made(dense(4), conv(2), dense(2))).toThrow("layer 'conv1' takes images");
  expect(() => made(maxPool(8), dense(2))).toThrow('windows of 8 × 8, but its inputs are 4 × 4');
  expect(() => made(residual([conv(2)]), dense(2))).toThrow("layer 'residual1' adds [4, 4, 2]");
  expect(() => made(conv(2), relu())).toThrow('here it is relu');
  expect(() => made()).toThrow('here it is missing');
  expect(() => made(relu as never, dense(2))).toThrow('layer 1 of a model is a function');
  expect(() => made(conv(2, { size: 2 }), dense(2))).toThrow('size = 2');
  expect(() => conv(2, { kernel: 3 } as object)).toThrow("no option 'kernel'");
  expect(() => model({ inputShape: [0], layers: [dense(2)] })).toThrow('inputShape [0]');
});

function agree(ours: Gradients, theirs: Weights, within: number): void {
  expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
  for (const [name, gradient] of ours) expect(apart(gradient, theirs.get(name)!), name).toBeLessThan(within);
}
