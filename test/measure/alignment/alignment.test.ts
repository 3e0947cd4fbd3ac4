import { beforeAll, expect, test } from 'vitest';
import { simplex } from '../../../src/data/datasets/synthetic.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { linear } from '../../../src/learn/model/linear.js';
import { normal } from '../../../src/learn/model/model.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { trainStage } from '../../../src/learn/train.js';
import { type Alignment, alignment } from '../../../src/measure/alignment/alignment.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { updateOf } from '../attack/models.js';

beforeAll(() => loadTensorFlow());

const aligned = (...[model, samples, weights]: [...Parameters<typeof alignment>, Parameters<typeof updateOf>[0]]) =>
  (alignment(model, samples).next(null, updateOf(weights)) as readonly [null, Alignment])[1];

test('closed forms of one moment', () => {
  const model = linear([2, 2]);
  const weights = new Map([['readout/kernel', tf.tensor2d([3, 0, 0, -4], [2, 2])]]); // W = (3, 0), (0, −4)
  const samples = {
    name: 'points',
    size: 3,
    sampleShape: [2],
    values: Float32Array.of(1, 1, 0, 2, 1, 0),
    labels: Uint8Array.of(0, 1, 0),
  };
  const found = aligned(model, samples, weights);
  expect(found).toMatchObject({ number: 10, epoch: 2, weights: [[3, 0], [0, -4]], features: [[1, 0.5], [0, 2]] }); // biome-ignore format: a table
  const [a, b, c] = [[3, -4], [0, -8], [3, 0]].map(([own, other]) => Math.log(Math.exp(own!) + Math.exp(other!))); // biome-ignore format: a table
  expect(found.loss).toBeCloseTo((a! - 3 + b! + 8 + c! - 3) / 3, 5);
  expect(found.cosines).toEqual([expect.closeTo(1 / Math.hypot(1, 0.5), 6), -1]);
  expect(found.thetas[0]).toBeCloseTo((3 + 2) / (5 * Math.hypot(1, 0.5)), 6);
  expect(found.thetaLimits[0]).toBeCloseTo((1 - 1) / Math.hypot(1, 1.5), 6);
});

/** Gradient descent by full batches on a simplex, as in the pipeline, at a rate a hundred times its own. */
function trained(classes: number, dimension: number, std: number, updates: number): Alignment {
  const points = simplex({ classes, dimension });
  const model = linear([dimension, classes], { initialization: normal(std) });
  const train = trainStage(model, { loss: crossEntropy(), optimizer: sgd({ rate: 1 }), seed: 3 });
  const batch = {
    position: classes,
    epoch: 1,
    remaining: 0,
    sampleShape: [dimension],
    values: points.values as Float32Array,
    labels: points.labels,
  };
  let state = train.start();
  for (let i = 0; i < updates; i++) [state] = train.next(state, batch);
  return aligned(model, points, state.weights);
}

test.each([
  [3, 2, 0.001, 3],
  [4, 6, 0.001, 3],
  [10, 16, 0.001, 3],
  [3, 2, 0.1, 600],
])('lemmas 2 and 3: %i classes in %i dimensions from N(0, %f²) align, and θ is as predicted', (k, d, std, updates) => {
  const start = trained(k, d, std, 0);
  expect(Math.min(...start.cosines)).toBeLessThan(0.8);
  const end = trained(k, d, std, updates);
  for (const cosine of end.cosines) expect(cosine).toBeGreaterThan(0.9995);
  const limit = (1 + 1 / (k - 1)) / Math.sqrt(2 + 2 / (k - 1)); // of a simplex
  for (const predicted of end.thetaLimits) expect(predicted).toBeCloseTo(limit, 6);
  for (const theta of end.thetas) expect(Math.abs(theta - limit)).toBeLessThan(0.01);
});

test('a class without a sample is refused', () => {
  expect(() => alignment(linear([2, 4]), simplex())).toThrow(
    "stage 'alignment': 'simplex/3 in 2' has no sample of class 3, of 4",
  );
});
