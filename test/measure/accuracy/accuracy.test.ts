import { beforeAll, expect, test } from 'vitest';
import { loss } from '../../../src/learn/loss/automatic-loss.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { type Accuracy, type AccuracyState, accuracy } from '../../../src/measure/accuracy/accuracy.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { constant, network, samplesFor, updateOf } from '../attack/models.js';

type Steps = Iterable<readonly [AccuracyState, Accuracy?]>;

beforeAll(async () => {
  await loadTensorFlow();
});

test('a constant classifier: the part of its class, and −log of its softmax', () => {
  const labels = Uint8Array.of(0, 1, 1, 1, 0);
  const samples = { name: 'bytes', size: 5, sampleShape: [2], values: new Uint8Array(10), labels };
  const stage = accuracy(constant(2, [0, Math.log(3)]), samples, { batch: 2 });
  const steps = [...(stage.next(stage.start(), updateOf(new Map())) as Steps)];
  const measured = steps.at(-1)![1]!;
  expect(measured).toMatchObject({ position: 640, number: 10, epoch: 2, accuracy: 0.6 });
  expect(measured.loss).toBeCloseTo(0.6 * Math.log(4 / 3) + 0.4 * Math.log(4), 6);
  expect(steps.at(-1)![0]).toEqual(stage.start());
});

test('a loss that is asked for, by hand or by differentiation, takes the place of the cross-entropy', () => {
  const labels = Uint8Array.of(0, 1, 1, 1, 0);
  const samples = { name: 'bytes', size: 5, sampleShape: [2], values: new Uint8Array(10), labels };
  const missed = loss('missed', (logits, y) => tf.mean(tf.sub(1, tf.sum(tf.mul(logits, tf.oneHot(y, 2)), 1))));
  const measured = [missed, crossEntropy({ smoothing: 0.5 })].map((loss) => {
    const stage = accuracy(constant(2, [0, Math.log(3)]), samples, { batch: 2, loss });
    return [...(stage.next(stage.start(), updateOf(new Map())) as Steps)].at(-1)![1]!.loss;
  });
  const [right, wrong] = [Math.log(4 / 3), Math.log(4)];
  expect(measured).toEqual([
    expect.closeTo(1 - 0.6 * Math.log(3), 6),
    expect.closeTo(0.6 * (0.75 * right + 0.25 * wrong) + 0.4 * (0.75 * wrong + 0.25 * right), 6),
  ]);
});

test('restored at every yield, the rest is the same; no tensor is left', () => {
  const model = network('whole');
  const weights = model.start(1);
  const samples = samplesFor(model, weights, 23, -1, 1);
  const update = updateOf(weights);
  const before = tf.memory().numTensors;
  const stage = accuracy(model, samples, { batch: 5 });
  const whole = [...(stage.next(stage.start(), update) as Steps)];
  expect(whole.at(-1)![1]!.accuracy).toBe(1);
  expect(whole).toHaveLength(5);
  for (let at = 0; at < 4; at++) {
    expect([...(stage.next(structuredClone(whole[at]![0]), update) as Steps)]).toEqual(whole.slice(at + 1));
  }
  expect(tf.memory().numTensors).toBe(before);
});

test('bytes are scaled to [0, 1] and normalized by channel where asked', () => {
  const seen: number[] = [];
  const model = {
    ...constant(2, [0, 1]),
    logits: (...[weights, x]: Parameters<ReturnType<typeof constant>['logits']>) => {
      seen.push(...x.dataSync());
      return constant(2, [0, 1]).logits(weights, x);
    },
  };
  const samples = {
    name: 'two',
    size: 1,
    sampleShape: [1, 2],
    values: Uint8Array.of(255, 51),
    labels: Uint8Array.of(0),
  };
  const normalize = { mean: [0.5, 0], std: [0.25, 0.1] };
  const stage = accuracy(model, samples, { normalize });
  [...(stage.next(stage.start(), updateOf(new Map())) as Steps)];
  expect(seen).toEqual([2, 2]);
});
