import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { loadTensorFlow, tf } from '../../../src/learn/device/tf.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { gradientsOf } from '../../../src/learn/loss/gradients.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Weights } from '../../../src/learn/model/model.js';
import { cosine, step } from '../../../src/learn/optimiser/schedule.js';
import { sgd } from '../../../src/learn/optimiser/sgd.js';
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
  const optimiser = sgd({ rate: 0.5, momentum: 0.9, decay: 0.01 });
  const losses: number[] = [];
  let tensors = 0;
  for (let number = 1; number <= 20; number++) {
    const { loss, correct, gradients } = gradientsOf(model, crossEntropy(), weights, x, labels);
    losses.push(loss.dataSync()[0]!);
    tf.dispose([loss, correct]);
    ({ weights, memory } = optimiser.move(weights, gradients, memory, { epoch: 1, number }));
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

test('schedules count epochs done', () => {
  const at = (epoch: number) => ({ epoch, number: 0 });
  expect([1, 30, 31, 61].map((epoch) => step(0.16, { every: 30 })(at(epoch)))).toEqual(
    [0.16, 0.16, 0.016, 0.0016].map((x) => expect.closeTo(x, 10)),
  );
  expect([1, 101, 201].map((epoch) => cosine(0.01, { epochs: 200 })(at(epoch)))).toEqual(
    [0.01, 0.005, 0].map((x) => expect.closeTo(x, 10)),
  );
});
