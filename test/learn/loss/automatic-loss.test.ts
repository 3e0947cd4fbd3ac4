import { beforeAll, describe, expect, test } from 'vitest';
import { loss } from '../../../src/learn/loss/automatic-loss.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { gradientsOf } from '../../../src/learn/loss/gradients.js';
import { linear } from '../../../src/learn/model/linear.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Model } from '../../../src/learn/model/model.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { trainStage } from '../../../src/learn/train.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { deviation } from '../../golden.js';
import { numbers } from '../model/random-weights.js';

beforeAll(() => loadTensorFlow());

const softmax = (smoothing = 0) =>
  loss('own cross-entropy', (logits, labels) => {
    const hot = tf.oneHot(labels, logits.shape[1]);
    const target = tf.add(tf.mul(hot, 1 - smoothing), smoothing / logits.shape[1]);
    return tf.neg(tf.mean(tf.sum(tf.mul(target, tf.logSoftmax(logits)), 1)));
  });

const focal = loss('focal', (logits, labels) => {
  const chosen = tf.sum(tf.mul(tf.logSoftmax(logits), tf.oneHot(labels, logits.shape[1])), 1);
  return tf.neg(tf.mean(tf.mul(tf.square(tf.sub(1, tf.exp(chosen))), chosen)));
});

const points = () => tf.tensor2d(Float32Array.from(numbers(1, 10)), [5, 2]);
const labels = () => tf.tensor1d([0, 1, 1, 0, 1], 'int32');
const allowed = { relative: 1e-5, absolute: 1e-7 };

const byHand = mlp([2, 4, 2]);
/** The same network without its backward pass. */
const { pullback: _, ...automatic } = byHand;
const models: readonly (readonly [string, Model])[] = [
  ['a model with a backward pass by hand', byHand],
  ['a model that TensorFlow.js differentiates', { ...automatic, name: 'automatic' }],
  ['a linear model', linear([2, 2])],
];

describe.each(models)('%s', (_, model) => {
  test('a cross-entropy by differentiation has the gradients of the one by hand, and leaves no tensor behind', () => {
    const [x, y, weights] = [points(), labels(), model.start(1)];
    const found = gradientsOf(model, softmax(0.1), weights, x, y);
    const wanted = gradientsOf(model, crossEntropy({ smoothing: 0.1 }), weights, x, y);
    expect(deviation(found.loss.dataSync(), wanted.loss.dataSync(), allowed)).toBeLessThanOrEqual(1);
    for (const [name, gradient] of wanted.gradients) {
      const own = found.gradients.get(name)!.dataSync();
      expect(deviation(own, gradient.dataSync(), allowed), name).toBeLessThanOrEqual(1);
    }
    tf.dispose([...wanted.gradients.values(), wanted.loss, wanted.correct]);
    tf.dispose([...found.gradients.values(), found.loss, found.correct]);
    const before = tf.memory().numTensors;
    const again = gradientsOf(model, softmax(0.1), weights, x, y);
    expect(tf.memory().numTensors).toBe(before + again.gradients.size + 2);
  });

  test('a network learns by a focal loss', () => {
    const stage = trainStage(model, { loss: focal, optimizer: sgd({ rate: 0.5, momentum: 0.9 }), seed: 1 });
    const batch = {
      position: 4,
      epoch: 1,
      remaining: 4,
      sampleShape: [2],
      values: Float32Array.of(1, 2, -1, 1, 2, -1, -2, -2),
    };
    let state = stage.start();
    const losses = Array.from({ length: 30 }, () => {
      const [next, update] = stage.next(state, { ...batch, labels: Uint8Array.of(0, 1, 0, 1) });
      state = next;
      return update.loss();
    });
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
  });

  test.each<[string, Parameters<typeof loss>[1], string]>([
    [
      'a loss a sample',
      (x) => tf.sum(x, 1) as unknown as tf.Scalar,
      "loss 'bad' returned a tensor of shape [5] and type float32",
    ],
    ['a count', (x) => tf.sum(tf.cast(x, 'int32')), "loss 'bad' returned a tensor of shape [] and type int32"],
    ['a number', (x) => x.dataSync()[0] as unknown as tf.Scalar, "loss 'bad' returned no tensor: "],
    ['a promise', (async () => tf.scalar(1)) as never, "loss 'bad' returned a promise"],
    ['a constant', () => tf.scalar(1), "loss 'bad' cannot be differentiated by the logits"],
    [
      'a count of errors',
      (x, y) => tf.mean(tf.cast(tf.notEqual(tf.argMax(x, 1), y), 'float32')),
      "loss 'bad' cannot be differentiated by the logits",
    ],
    ['an error', (x, y) => tf.matMul(x, y as never), "loss 'bad' failed: "],
  ])('%s is refused by name', (_, compute, message) => {
    expect(() => gradientsOf(model, loss('bad', compute), model.start(1), points(), labels())).toThrow(message);
  });

  test('other arguments than a name and a function are refused, options among them', () => {
    const mean = (x: tf.Tensor): tf.Tensor => tf.mean(x);
    expect(() => (loss as (...all: unknown[]) => unknown)('own', mean, { smoothing: 0.1 })).toThrow(
      "loss 'own' was given more than its name and its function",
    );
    expect(() => (loss as (...all: unknown[]) => unknown)(mean, 'own')).toThrow(
      'loss was given a function and a string',
    );
    const whole = { optimizer: sgd({ rate: 1 }), seed: 1, loss: crossEntropy as never };
    expect(() => trainStage(model, whole)).toThrow('train was given a function in the place of a loss');
  });

  test.each<[string, Parameters<typeof loss>[1]]>([
    ['a value', (x) => tf.log(tf.mul(tf.mean(x), 0)).mul(0) as tf.Scalar],
    ['a gradient alone', (x) => tf.sum(tf.sqrt(tf.mul(x, 0)))],
  ])('%s that is not finite ends the training at that update, and no snapshot has it', (_, compute) => {
    const stage = trainStage(model, { loss: loss('odd', compute), optimizer: sgd({ rate: 0.1 }), seed: 1 });
    const batch = { position: 2, epoch: 1, remaining: 0, sampleShape: [2], values: Float32Array.of(1, 2, 3, 4) };
    const [state, update] = stage.next(stage.start(), { ...batch, labels: Uint8Array.of(0, 1) });
    const wanted = {
      message: 'training diverged: the loss is NaN at update 1',
      remedy:
        "the initial weights gave it: see that loss 'odd' and its gradient are finite at any logits, and the data too",
    };
    expect(() => update.loss()).toThrow(expect.objectContaining(wanted));
    expect(() => stage.save(state)).toThrow(expect.objectContaining(wanted));
  });
});
