import { beforeAll, expect, test } from 'vitest';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { normal } from '../../src/learn/model/model.js';
import { step } from '../../src/learn/optimizer/schedule.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { spectralRegularizer } from '../../src/learn/regularizer/spectral.js';
import { spectralTick } from '../../src/learn/spectral/stages.js';
import { type Batch, trainStage } from '../../src/learn/train.js';
import type { TrainState, Update } from '../../src/learn/update.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

/** The four corners of XOR; two updates an epoch, of two samples each. */
function batch(number: number): Batch {
  const half = number % 2;
  const values = half === 1 ? [1, 1, 1, -1] : [-1, -1, -1, 1];
  const labels = [0, 1];
  const counts = { position: number * 2, epoch: Math.ceil(number / 2), remaining: half === 0 ? 0 : 2 };
  return { ...counts, sampleShape: [2], values: Float32Array.from(values), labels: Uint8Array.from(labels) };
}

function training({ gamma = 0, from = 0 } = {}) {
  const model = mlp([2, 8, 2], { initialization: normal(0.5) });
  const regularizer = spectralRegularizer('rep-spectral', model, { gamma, from: { epoch: from } });
  const optimizer = sgd({ rate: 0.5, momentum: 0.9, decay: 1e-3 });
  const stage = trainStage(model, { loss: crossEntropy(), optimizer, regularizer, seed: 3 });
  const next = (state: TrainState, number: number) => stage.next(state, batch(number)) as [TrainState, Update];
  return { stage, regularizer, next };
}

test('an update says where it is; loss and accuracy are those of the epoch so far', () => {
  const { stage, next } = training();
  let state = stage.start();
  expect(stage.repeat(state)).toMatchObject({ number: 0, epoch: 0, endsEpoch: true });
  const losses: number[] = [];
  for (let number = 1; number <= 3; number++) {
    const [after, update] = next(state, number);
    expect(update).toMatchObject({
      number,
      position: 2 * number,
      epoch: Math.ceil(number / 2),
      endsEpoch: number === 2,
    });
    losses.push(update.loss());
    const epoch = number === 3 ? [losses[2]!] : losses;
    expect(update.epochLoss()).toBeCloseTo(epoch.reduce((a, b) => a + b) / epoch.length, 6);
    expect([0, 0.25, 0.5, 0.75, 1]).toContain(update.epochAccuracy());
    state = after;
  }
  expect(losses[0]).toBeCloseTo(Math.log(2), 0);
  stage.dispose(state);
});

test('an update says the learning rate that made it, and says it again after a resume', () => {
  const model = mlp([2, 8, 2]);
  const rates = [{ weights: ['readout'], rate: 7 }]; // for some weights: the usual one is said
  const optimizer = sgd({ rate: step(0.5, { every: 1 }), rates });
  const begun = () => trainStage(model, { loss: crossEntropy(), optimizer, seed: 3 });
  const stage = begun();
  let state = stage.start();
  expect(stage.repeat(state)).not.toHaveProperty('rate');
  const said: (number | undefined)[] = [];
  for (let number = 1; number <= 3; number++) {
    const [next, update] = stage.next(state, batch(number)) as [TrainState, Update];
    said.push(update.rate);
    state = next;
  }
  expect(said).toEqual([0.5, 0.5, 0.05]);
  const resumed = begun();
  const again = resumed.load(stage.save(state));
  expect(resumed.repeat(again).rate).toBe(0.05);
  stage.dispose(state);
  resumed.dispose(again);
});

test('it learns, and the count of live tensors stays where it was', () => {
  const { stage, next } = training();
  const before = tf.memory().numTensors;
  let [state, update] = next(stage.start(), 1);
  const counts = new Set<number>();
  for (let number = 2; number <= 200; number++) {
    [state, update] = next(state, number);
    counts.add(tf.memory().numTensors);
  }
  expect(counts.size).toBe(1);
  expect(update.epochAccuracy()).toBe(1);
  stage.dispose(state);
  expect(tf.memory().numTensors).toBe(before);
});

/** Trains with a tick at every second update; saves, starts anew and loads after each update in `stops`. Returns all bits at the end. */
function trained(updates: number, stops: readonly number[]) {
  const begin = () => {
    const run = training({ gamma: 0.02, from: 2 });
    return { ...run, tick: spectralTick(run.regularizer) };
  };
  let run = begin();
  let state = run.stage.start();
  let spectrum = run.tick.start();
  for (let number = 1; number <= updates; number++) {
    const [after, update] = run.next(state, number);
    state = after;
    if (number % 2 === 1) [spectrum] = run.tick.next(spectrum, update) as [typeof spectrum];
    if (!stops.includes(number)) continue;
    const saved = [run.stage.save(state), run.tick.save!(spectrum)] as const;
    run = begin();
    spectrum = run.tick.start();
    state = run.stage.load(saved[0]);
    spectrum = run.tick.load!(saved[1]);
    expect(run.stage.repeat(state)).toMatchObject({ number, position: 2 * number });
  }
  return run.stage.save(state);
}

test('saved and loaded after any update, regularizer and directions included, it goes on to the same bits', () => {
  const straight = trained(12, []);
  expect(trained(12, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])).toEqual(straight);
});

test('the regularizer holds σ down from the end of its burn-in', () => {
  const sigmas = [0, 0.05].map((gamma) => {
    const { stage, regularizer, next } = training({ gamma, from: 2 });
    const tick = spectralTick(regularizer);
    tick.start();
    let state = stage.start();
    for (let number = 1; number <= 150; number++) {
      const [after, update] = next(state, number);
      tick.next(null, update);
      state = after;
    }
    const measured = spectralRegularizer('rep-spectral', mlp([2, 8, 2]), { gamma: 1 });
    return measured.begin(state.weights).hidden1!.sigma;
  });
  expect(sigmas[1]).toBeLessThan(0.8 * sigmas[0]!);
});

test('an active regularizer without a tick, and samples that do not fit, say what to wire', () => {
  const { stage, next } = training({ gamma: 1 });
  expect(() => next(stage.start(), 1)).toThrow(
    "regularizer 'rep-spectral' is on, but no spectral tick refreshes its directions",
  );
  expect(() => stage.next(stage.start(), { ...batch(1), sampleShape: [3], values: new Float32Array(6) })).toThrow(
    "stage 'train' was handed samples of shape [3], but mlp 2-8-2 gelu takes [2]",
  );
});

test('update 0 and the last of each epoch say what kind of term is added to the loss, and that none is', () => {
  const { stage, next } = training({ gamma: 0.1, from: 9 });
  const start = stage.start();
  const [first, half] = next(start, 1);
  const [second, whole] = next(first, 2);
  const said = [stage.repeat(second), half, whole].map(({ regularizer }) => regularizer);
  expect(said).toEqual(['rep-spectral', undefined, 'rep-spectral']);
  stage.dispose(second);
  const plain = trainStage(mlp([2, 2, 2]), { loss: crossEntropy(), optimizer: sgd({ rate: 1 }), seed: 0 });
  const bare = plain.start();
  expect(plain.repeat(bare).regularizer).toBe('none');
  plain.dispose(bare);
});
