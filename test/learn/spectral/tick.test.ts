import { beforeAll, expect, test } from 'vitest';
import type { Step } from '../../../src/core/stage.js';
import { loadTensorFlow, tf } from '../../../src/learn/device/tf.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { layerNorms } from '../../../src/learn/spectral/layer-norms.js';
import { spectralPenalty } from '../../../src/learn/spectral/penalty.js';
import { spectralTick } from '../../../src/learn/spectral/tick.js';
import type { Update } from '../../../src/learn/update.js';

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

test('the tick sleeps until the last epoch of the burn-in, then hands each spectrum to the penalty', () => {
  const penalty = spectralPenalty('rep-spectral', model, { gamma: 1, from: { epoch: 2 } });
  const tick = spectralTick(penalty);
  expect(penalty.ticked).toBe(true);
  let state = tick.start();

  [state] = one(tick.next(state, updateAt(1, 1, [5, 9])));
  expect(penalty.newest).toBeUndefined();

  const [begun, output] = one(tick.next(state, updateAt(2, 2, [5, 9])));
  expect(Object.keys(begun!)).toEqual(['hidden1']);
  expect(begun!.hidden1!.sigma).toBeCloseTo(5, 5);
  expect(output).toMatchObject({ number: 2, spectrum: begun });
  expect(penalty.newest).toBe(begun);

  const [next] = one(tick.next(begun, updateAt(3, 3, [6, 9])));
  expect(next!.hidden1!.sigma).toBeCloseTo(6, 5);

  const other = spectralPenalty('rep-spectral', model, { gamma: 1, from: { epoch: 2 } });
  const restored = spectralTick(other);
  restored.start();
  expect(restored.load?.(tick.save!(next))).toEqual(next);
  expect(other.newest).toEqual(next);
});

test('layer norms: σ of every layer, the readout included, found again from where the last search ended', () => {
  const norms = layerNorms(model);
  const [directions, first] = one(norms.next(norms.start(), updateAt(7, 2, [5, 9])));
  expect(first).toMatchObject({ position: 28, number: 7, epoch: 2 });
  expect(first!.sigma).toEqual({ hidden1: expect.closeTo(5, 4), readout: expect.closeTo(9, 4) });
  const [, second] = one(norms.next(directions, updateAt(8, 3, [4, 2])));
  expect(second!.sigma).toEqual({ hidden1: expect.closeTo(4, 3), readout: expect.closeTo(2, 3) });
});
