import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { gradientsOf } from '../../../src/learn/loss/gradients.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Weights } from '../../../src/learn/model/model.js';
import { constant, cosine, type Schedule, step } from '../../../src/learn/optimizer/schedule.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { deviation } from '../../golden.js';

beforeAll(() => loadTensorFlow());

test('twenty updates end where PyTorch ends', () => {
  const torch = JSON.parse(readFileSync(new URL('torch-sgd.json', import.meta.url), 'utf8'));
  const model = mlp([3, 4, 2]);
  let weights: Weights = new Map(
    [...model.start(0)].map(([name, { shape }]) => [name, tf.tensor(torch.start[name] as number[], shape)]),
  );
  let memory: Weights = new Map();
  const x = tf.tensor2d(torch.x, [6, 3]);
  const labels = tf.tensor1d(torch.labels, 'int32');
  const optimizer = sgd({ rate: 0.5, momentum: 0.9, decay: 0.01 });
  const losses: number[] = [];
  let tensors = 0;
  for (let number = 1; number <= 20; number++) {
    const { loss, correct, gradients } = gradientsOf(model, crossEntropy(), weights, x, labels);
    losses.push(loss.dataSync()[0]!);
    tf.dispose([loss, correct]);
    ({ weights, memory } = optimizer.move(weights, gradients, memory, { epoch: 1, number }));
    if (number === 1) tensors = tf.memory().numTensors;
  }
  expect(tf.memory().numTensors).toBe(tensors);
  expect(deviation(losses, torch.losses, { relative: 1e-5, absolute: 0 })).toBeLessThanOrEqual(1);
  for (const [name, tensor] of weights) {
    expect(deviation(tensor.dataSync(), torch.end[name], { relative: 1e-5, absolute: 0 }), name).toBeLessThanOrEqual(1);
  }
});

test('without momentum nothing is remembered', () => {
  const moved = sgd({ rate: 0.5 }).move(new Map([['w', tf.scalar(3)]]), new Map([['w', tf.scalar(2)]]), new Map(), {
    epoch: 1,
    number: 1,
  });
  expect(moved.weights.get('w')!.dataSync()[0]).toBe(2);
  expect(moved.memory.size).toBe(0);
});

/** Moves weights of 1 by gradients of 2, with velocities of 4 from the update before. */
function moved(options: Parameters<typeof sgd>[0], at = { epoch: 1, number: 1 }, names = all) {
  const each = (value: number): Weights => new Map(names.map((name) => [name, tf.tensor1d([value, value])]));
  const weights = new Map([...each(1), ['norm/mean', tf.scalar(1)]]);
  const velocities = options.momentum ? [...each(4)].map(([name, v]) => [`velocity/${name}`, v] as const) : [];
  return sgd(options).move(weights, new Map(each(2)), new Map(velocities), at);
}
const all = ['hidden1/kernel', 'hidden1/bias', 'readout/kernel', 'readout/bias', 'readout2/kernel'];
const valuesOf = (weights: Weights) => Object.fromEntries([...weights].map(([name, w]) => [name, w.dataSync()[0]]));

test('weights with a rate of their own take it, by name, by beginning and by schedule; the others the usual one', () => {
  const { weights, memory } = moved(
    {
      rate: 0.1,
      momentum: 0.5,
      decay: 3,
      rates: [
        { weights: ['readout/bias'], rate: step(0.2, { every: 10 }) },
        { weights: ['readout'], rate: 0.01 }, // the bias has its rate already
      ],
    },
    { epoch: 11, number: 100 },
  );
  // v = 0.5 · 4 + (2 + 3 · 1) = 7, w = 1 − rate · 7
  expect(valuesOf(weights)).toEqual({
    'hidden1/kernel': expect.closeTo(0.3, 6),
    'hidden1/bias': expect.closeTo(0.3, 6),
    'readout/kernel': expect.closeTo(0.93, 6),
    'readout/bias': expect.closeTo(1 - 0.02 * 7, 6),
    'readout2/kernel': expect.closeTo(0.3, 6),
    'norm/mean': 1,
  });
  expect(new Set(Object.values(valuesOf(memory)))).toEqual(new Set([7]));
});

test('without rates of their own, or with the usual one, weights move to the same bits', () => {
  const usual = { rate: 0.1, momentum: 0.9, decay: 1e-4 };
  const bits = (options: Parameters<typeof sgd>[0]) => valuesOf(moved(options).weights);
  expect(bits({ ...usual, rates: [] })).toEqual(bits(usual));
  expect(bits({ ...usual, rates: [{ weights: ['hidden1'], rate: () => 0.1 }] })).toEqual(bits(usual));
});

test.each(['readout/scale', 'read', 'norm/mean'])("a rate for '%s', which is not trained, names what is", (name) => {
  expect(() => moved({ rate: 1, rates: [{ weights: ['hidden1', name], rate: 1 }] })).toThrow(
    expect.objectContaining({
      name: 'WeirError',
      message: `optimizer 'sgd' has a learning rate for '${name}', which no trained weight is called`,
      remedy: expect.stringContaining('hidden1/kernel, hidden1/bias, readout/kernel, readout/bias'),
    }),
  );
});

test('schedules count epochs done, in the closed forms of PyTorch', () => {
  const at = (epoch: number) => ({ epoch, number: 0 });
  const over = (epochs: number[], schedule: Schedule) => epochs.map((epoch) => schedule(at(epoch)));
  const close = (values: number[]) => values.map((x) => expect.closeTo(x, 10));
  expect(over([1, 30, 31, 61], step(0.16, { every: 30 }))).toEqual(close([0.16, 0.16, 0.016, 0.0016]));
  // StepLR: base · gamma ^ ⌊epoch / step_size⌋, epochs from 0 on
  expect(over([1, 7, 8, 15], step(0.4, { every: 7, factor: 0.5 }))).toEqual(close([0.4, 0.4, 0.2, 0.1]));
  expect(over([1, 101, 201], cosine(0.01, { epochs: 200 }))).toEqual(close([0.01, 0.005, 0]));
  // CosineAnnealingLR: η_min + (base − η_min) · (1 + cos(π T_cur / T_max)) / 2
  expect(over([1, 2, 3, 4], cosine(1, { epochs: 3, floor: 0.2 }))).toEqual(close([1, 0.8, 0.4, 0.2]));
  expect(over([1, 50], constant(0.3))).toEqual([0.3, 0.3]);
});
