import { beforeAll, describe, expect, test } from 'vitest';
import { WeirError } from '../../../src/flow/errors.js';
import { crossEntropy, portable } from '../../../src/learn/loss/cross-entropy.js';
import type { Loss } from '../../../src/learn/loss/loss.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const ways: [string, (smoothing?: number) => Loss['of']][] = [
  ['of the runtime in use', (smoothing) => crossEntropy(smoothing === undefined ? {} : { smoothing }).of],
  ['portable', (smoothing) => (logits, labels) => portable(logits, labels, smoothing)],
];

const logits = [
  [0.3, -1.2, 2.1, 0.4],
  [1.5, 0.2, -0.7, -2],
  [-0.1, 0.9, 0.8, 0],
];
const labels = [2, 3, 0];

/** The loss and its gradient as PyTorch defines them, in double precision. */
function definition(rows: readonly number[][], smoothing: number): { value: number; gradient: number[] } {
  const n = rows.length;
  const parts = rows.map((row, i) => {
    const partition = row.reduce((sum, z) => sum + Math.exp(z), 0);
    const target = row.map((_, k) => (k === labels[i] ? 1 - smoothing : 0) + smoothing / row.length);
    return {
      loss: row.reduce((sum, z, k) => sum - target[k]! * (z - Math.log(partition)), 0),
      gradient: row.map((z, k) => (Math.exp(z) / partition - target[k]!) / n),
    };
  });
  return {
    value: parts.reduce((sum, { loss }) => sum + loss, 0) / n,
    gradient: parts.flatMap(({ gradient }) => gradient),
  };
}

describe.each(ways)('%s', (_, make) => {
  test('closed form, and no overflow', () => {
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

  test.each([0, 0.1, 0.9])('smoothing %d: value and gradient of the definition, whose slope it is', (smoothing) => {
    const { value, gradient } = make(smoothing)(tf.tensor2d(logits), tf.tensor1d(labels, 'int32'));
    const wanted = definition(logits, smoothing);
    expect(value.dataSync()[0]).toBeCloseTo(wanted.value, 5);
    expect([...gradient.dataSync()]).toEqual(wanted.gradient.map((x) => expect.closeTo(x, 6)));
    const slopes = logits.flatMap((row, i) =>
      row.map((_, k) => {
        const at = (step: number) =>
          definition(
            logits.map((r, j) => r.map((z, l) => (i === j && k === l ? z + step : z))),
            smoothing,
          ).value;
        return (at(1e-5) - at(-1e-5)) / 2e-5;
      }),
    );
    expect([...gradient.dataSync()]).toEqual(slopes.map((x) => expect.closeTo(x, 6)));
  });

  test('the gradient is 0 where softmax is the smoothed target: 1 − s + s/K at the label, s/K elsewhere', () => {
    const best = labels.map((label) => [0, 1, 2, 3].map((k) => Math.log(k === label ? 0.8 + 0.05 : 0.05)));
    const { value, gradient } = make(0.2)(tf.tensor2d(best), tf.tensor1d(labels, 'int32'));
    expect([...gradient.dataSync()]).toEqual(Array(12).fill(expect.closeTo(0, 6)));
    expect(value.dataSync()[0]).toBeCloseTo(-0.85 * Math.log(0.85) - 3 * 0.05 * Math.log(0.05), 5);
  });

  test('a smoothing of 0 is none, to the bit', () => {
    const given = [tf.randomNormal([64, 10], 0, 3, 'float32', 1), tf.range(0, 64, 1, 'int32')] as const;
    const label = tf.mod(given[1], tf.scalar(10, 'int32')) as tf.Tensor1D;
    const [without, zero] = [make(), make(0)].map((of) => of(given[0] as tf.Tensor2D, label));
    expect(zero!.value.dataSync()).toEqual(without!.value.dataSync());
    expect(zero!.gradient.dataSync()).toEqual(without!.gradient.dataSync());
  });

  test.each([0, 0.1])('smoothing %d: it leaves its two results and nothing else', (smoothing) => {
    const logits = tf.tensor2d(new Float32Array(12), [4, 3]);
    const labels = tf.tensor1d([0, 1, 2, 0], 'int32');
    const before = tf.memory().numTensors;
    make(smoothing)(logits, labels);
    expect(tf.memory().numTensors).toBe(before + 2);
  });
});

test.each([-0.1, 1, 1.5, Number.NaN])('a smoothing of %d is refused by name', (smoothing) => {
  expect(() => crossEntropy({ smoothing })).toThrow(WeirError);
  expect(() => crossEntropy({ smoothing })).toThrow(`loss 'cross-entropy' was given smoothing = ${smoothing}`);
});
