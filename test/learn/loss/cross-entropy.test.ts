import { beforeAll, expect, test } from 'vitest';
import { loadTensorFlow, tf } from '../../../src/learn/device/tf.js';
import { crossEntropy, portable } from '../../../src/learn/loss/cross-entropy.js';

beforeAll(() => loadTensorFlow());

test.each([
  ['of the runtime in use', () => crossEntropy().of],
  ['portable', () => portable],
])('%s: closed form, and no overflow', (_, make) => {
  const logits = tf.tensor2d([
    [Math.log(3), 0],
    [1e4, 0],
    [0, 1e4],
  ]);
  const { value, gradient } = make()(logits, tf.tensor1d([1, 0, 0], 'int32'));
  expect(value.dataSync()[0]).toBeCloseTo((Math.log(4) + 0 + 1e4) / 3, 2);
  const wanted = [0.75, -0.75, 0, 0, -1, 1].map((x) => expect.closeTo(x / 3, 6));
  expect([...gradient.dataSync()]).toEqual(wanted);
});

test('it leaves its two results and nothing else', () => {
  const logits = tf.tensor2d(new Float32Array(12), [4, 3]);
  const labels = tf.tensor1d([0, 1, 2, 0], 'int32');
  const before = tf.memory().numTensors;
  crossEntropy().of(logits, labels);
  expect(tf.memory().numTensors).toBe(before + 2);
});
