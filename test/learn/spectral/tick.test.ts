import { beforeAll, expect, test } from 'vitest';
import type { Step } from '../../../src/flow/stage.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { spectralRegularizer } from '../../../src/learn/regularizer/spectral.js';
import { layerNorms, spectralTick } from '../../../src/learn/spectral/stages.js';
import type { Update } from '../../../src/learn/update.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const model = mlp([2, 3, 2]);

/** An update whose kernels are diagonal, so that every σ is known. */
function updateAt(number: number, epoch: number, [first, readout]: [number, number]): Update {
  const diagonal = (rows: number, columns: number, top: number): tf.Tensor =>
    tf.tensor2d(
      Array.from({ length: rows * columns }, (_, i) => (i === 0 ? top : i === columns + 1 ? 1 : 0)),
      [rows, columns],
    );
  const weights = new Map([
    ['hidden1/kernel', diagonal(2, 3, first)],
    ['readout/kernel', diagonal(3, 2, readout)],
  ]);
  const numbers = { loss: () => 0, epochLoss: () => 0, epochAccuracy: () => 0 };
  return { position: number * 4, number, epoch, endsEpoch: true, weights, ...numbers };
}

const one = <State, Out>(steps: Step<State, Out> | Iterable<Step<State, Out>>) => steps as Step<State, Out>;

test('the tick sleeps until the last epoch of the burn-in, then hands each spectrum to the regularizer', () => {
  const regularizer = spectralRegularizer('rep-spectral', model, { gamma: 1, from: { epoch: 2 } });
  const tick = spectralTick(regularizer);
  expect(regularizer.ticked).toBe(true);
  let state = tick.start();

  [state] = one(tick.next(state, updateAt(1, 1, [5, 9])));
  expect(regularizer.newest).toBeUndefined();

  const [begun, output] = one(tick.next(state, updateAt(2, 2, [5, 9])));
  expect(Object.keys(begun!)).toEqual(['hidden1']);
  expect(begun!.hidden1!.sigma).toBeCloseTo(5, 5);
  expect(output).toMatchObject({ number: 2, spectrum: begun });
  expect(regularizer.newest).toBe(begun);

  const [next] = one(tick.next(begun, updateAt(3, 3, [6, 9])));
  expect(next!.hidden1!.sigma).toBeCloseTo(6, 5);

  const other = spectralRegularizer('rep-spectral', model, { gamma: 1, from: { epoch: 2 } });
  const restored = spectralTick(other);
  restored.start();
  expect(restored.load?.(tick.save!(next))).toEqual(next);
  expect(other.newest).toEqual(next);
});

test('layer norms: σ of every layer, the readout included, exact however close the second value is', () => {
  const norms = layerNorms(model);
  const [state, first] = one(norms.next(norms.start(), updateAt(7, 2, [5, 9])));
  expect(first).toMatchObject({ position: 28, number: 7, epoch: 2 });
  expect(first!.sigma).toEqual({ hidden1: expect.closeTo(5, 5), readout: expect.closeTo(9, 5) });
  const [, second] = one(norms.next(state, updateAt(8, 3, [1.0037, 1.00001])));
  expect(second!.sigma).toEqual({ hidden1: expect.closeTo(1.0037, 6), readout: expect.closeTo(1.00001, 6) });
});

test('layer norms: a matrix whose two largest values lie within 1.4 % of each other', () => {
  const { kernel, sigma } = closeValues();
  const wide = mlp([64, 48, 2]);
  const weights = new Map<string, tf.Tensor>([
    ['hidden1/kernel', kernel],
    ['readout/kernel', tf.ones([48, 2])],
  ]);
  const norms = layerNorms(wide);
  const [, found] = one(norms.next(norms.start(), { ...updateAt(1, 1, [1, 1]), weights }));
  expect(found!.sigma.hidden1! / sigma).toBeCloseTo(1, 6); // power iteration ended by a small step, 1e-4 below and more
  expect(found!.bounds.hidden1!).toBeLessThan(1e-5 * sigma);
});

/** H diag(3.9846, 3.9306, …) H' with Householder reflections H, H', so that its values are known; [64, 48]. */
function closeValues(): { kernel: tf.Tensor2D; sigma: number } {
  const values = Array.from({ length: 48 }, (_, i) => (i === 0 ? 3.9846 : 3.9306 - 0.05 * (i - 1)));
  const kernel = tf.tidy(() => {
    const reflection = (n: number): tf.Tensor2D => {
      const v = tf.tensor2d(
        Array.from({ length: n }, (_, i) => Math.sin(i * i + 1)),
        [n, 1],
      );
      return tf.sub(tf.eye(n), tf.mul(tf.div(2, tf.sum(tf.square(v))), tf.matMul(v, v, false, true))) as tf.Tensor2D;
    };
    const middle = tf.tensor2d(
      Array.from({ length: 64 * 48 }, (_, at) => (Math.floor(at / 48) === at % 48 ? values[at % 48]! : 0)),
      [64, 48],
    );
    return tf.matMul(tf.matMul(reflection(64), middle), reflection(48)) as tf.Tensor2D;
  });
  return { kernel, sigma: values[0]! };
}
