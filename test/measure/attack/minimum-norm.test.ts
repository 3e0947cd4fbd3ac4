import { beforeAll, expect, test } from 'vitest';
import type { Weights } from '../../../src/learn/model/model.js';
import type { AttackState } from '../../../src/measure/attack/attack.js';
import { ddn } from '../../../src/measure/attack/ddn.js';
import { deepFool } from '../../../src/measure/attack/deepfool.js';
import { fmn } from '../../../src/measure/attack/fmn.js';
import type { MinimumNormState } from '../../../src/measure/attack/minimum-norm.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import type { LabeledSamples } from '../../../src/measure/inputs.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { type Attacked, linear, network, samplesFor, updateOf } from './models.js';

beforeAll(() => loadTensorFlow());

type Stage = ReturnType<typeof ddn>;
type Step = readonly [AttackState<MinimumNormState>, AttackResult?];
const box = { min: -3, max: 3 };
const stepsOf = (stage: Stage, weights: Weights) => [
  ...(stage.next({ phase: 'rest' }, updateOf(weights)) as Iterable<Step>),
];
const resultsOf = (stage: Stage, weights: Weights) => stepsOf(stage, weights).flatMap(([, result]) => result ?? []);

/** A network whose classes are regions of some size. */
function regions() {
  const model = network('whole');
  return { model, weights: new Map([...model.start(2)].map(([name, w]) => [name, tf.mul(w, 60)])) };
}

/** One sample at zero, of the class that is said. */
const zeros = (d: number): LabeledSamples => ({
  name: 'zeros',
  size: 1,
  sampleShape: [d],
  values: new Float32Array(d),
  labels: new Uint8Array(1),
});

test.each([
  ['ddn', ddn],
  ['fmn', fmn],
] as const)('%s on a linear classifier: the exact distance |w·x + b|/‖w‖', (_, make) => {
  const d = 24;
  const model = linear(d, 2, 'whole');
  const weights = model.start(0);
  const samples = samplesFor(model, weights, 12, -1, 1);
  const [w, b] = ['readout/kernel', 'readout/bias'].map((name) => weights.get(name)!.dataSync<'float32'>()) as [
    Float32Array,
    Float32Array,
  ];
  const results = resultsOf(make(model, samples, { samples: 12, seed: 0, box, iterations: 20 }), weights);
  expect(results).toHaveLength(12);
  for (const { original, distance, queries, kind } of results) {
    let [margin, square] = [b[1]! - b[0]!, 0];
    for (let i = 0; i < d; i++) {
      margin += (w[2 * i + 1]! - w[2 * i]!) * original[i]!;
      square += (w[2 * i + 1]! - w[2 * i]!) ** 2;
    }
    expect(distance / (Math.abs(margin) / Math.sqrt(square))).toBeCloseTo(1, 3);
    expect(queries).toBeGreaterThanOrEqual(1 + 20 * 2 + 1 + 17 + 1); // prediction, steps, confirmation, boundary, verification
    expect(queries).toBeLessThanOrEqual(1 + 20 * 2 + 1 + 17 + 6); // of at most six rounds
    expect(kind).toBe('white-box');
  }
});

test('the steps of DDN are those of its algorithm 1 written out with the whole cross-entropy of the scaled logits', () => {
  const { model, weights } = regions();
  const narrow = { min: -1, max: 1 }; // so that clipping takes part
  const samples = samplesFor(model, weights, 1, -1, 1);
  const [T, gamma] = [12, 0.05];
  const options = { samples: 1, seed: 0, box: narrow, iterations: T, gamma };
  const seen = stepsOf(ddn(model, samples, options), weights).flatMap(([state]) =>
    state.phase === 'attack' && state.at.phase === 'search' && state.at.search.iteration > 0 ? [state.at.search] : [],
  );
  const x = tf.tensor2d(samples.values as Float32Array, [1, 12]);
  const own = tf.oneHot(tf.argMax(model.logits(weights, x), 1), 3) as tf.Tensor2D;
  const lossOf = (here: tf.Tensor) => {
    const deviation = tf.sqrt(tf.moments(model.logits(weights, here)).variance);
    return (at: tf.Tensor) =>
      tf.losses.softmaxCrossEntropy(own, tf.mul(model.logits(weights, at), tf.div(5, deviation))) as tf.Scalar;
  };
  const width = 2;
  let [delta, epsilon]: [tf.Tensor, number] = [tf.zerosLike(x), width];
  let flips = 0;
  for (let t = 0; t < T; t++) {
    const at = tf.add(x, delta);
    const gradient = tf.grad(lossOf(at))(at);
    const flipped = tf.argMax(model.logits(weights, at), 1).dataSync()[0] !== tf.argMax(own, 1).dataSync()[0];
    flips += Number(flipped);
    const alpha = width * (0.01 + (0.99 * (1 + Math.cos((Math.PI * t) / T))) / 2);
    const stepped = tf.add(delta, tf.mul(gradient, tf.div(alpha, tf.norm(gradient))));
    epsilon *= flipped ? 1 - gamma : 1 + gamma;
    const furthest = tf.norm(tf.maximum(tf.sub(x, narrow.min), tf.sub(narrow.max, x))).dataSync()[0]!;
    epsilon = Math.min(epsilon, furthest);
    const projected = tf.mul(stepped, tf.div(epsilon, tf.norm(stepped)));
    delta = tf.sub(tf.clipByValue(tf.add(x, projected), narrow.min, narrow.max), x);
    const theirs = tf.add(x, delta).dataSync();
    if (t + 1 < seen.length || t + 1 === T) {
      const ours = seen.find(({ iteration }) => iteration === t + 1)!;
      expect(Math.hypot(...theirs.map((value, i) => value - ours.x[i]!)), `x_${t + 1}`).toBeLessThan(1e-4);
      expect(ours.radius[0]).toBeCloseTo(epsilon, 5);
    }
  }
  expect(flips).toBeGreaterThan(0);
  expect(flips).toBeLessThan(T);
});

test.each([1e-3, 1, 1e3])('DDN reaches the nearest class, not a mean of them, with logits times %f', (scale) => {
  // logits s·(1, x₁, x₂ − 1): the class of 0 ends at x₁ = 1 and at x₂ = 2; a flat softmax leads along (1, 1), to √2
  const model = linear(2, 3, 'whole');
  const weights = new Map<string, tf.Tensor>([
    [
      'readout/kernel',
      tf.mul(
        tf.tensor2d([
          [0, 1, 0],
          [0, 0, 1],
        ]),
        scale,
      ),
    ],
    ['readout/bias', tf.mul(tf.tensor1d([1, 0, -1]), scale)],
  ]);
  const [result] = resultsOf(ddn(model, zeros(2), { samples: 1, seed: 0, box }), weights);
  expect(result).toMatchObject({ outcome: 'found', adversarialLabel: 1, distance: expect.closeTo(1, 3) });
});

test('beside DeepFool: the distances of both are no longer, on a network that is not linear', () => {
  const { model, weights } = regions();
  const samples = samplesFor(model, weights, 20, -1, 1);
  const options = { samples: 20, seed: 3, box };
  const mean = (of: readonly AttackResult[]) => of.reduce((sum, { distance }) => sum + distance, 0) / of.length;
  const [theirs, ...ours] = [deepFool, ddn, fmn].map((make) =>
    resultsOf(make(model, samples, options) as Stage, weights),
  );
  for (const results of ours) {
    expect(results.every(({ outcome }) => outcome === 'found')).toBe(true);
    expect(mean(results)).toBeLessThanOrEqual(mean(theirs!) * 1.001);
  }
});

test('where the network is sure of the class beyond float32, the way out is still found', () => {
  const model = linear(4, 2, 'whole');
  const weights = new Map<string, tf.Tensor>([
    ['readout/kernel', tf.tensor2d([[1000, -1000], ...Array.from({ length: 3 }, () => [0, 0])])],
    ['readout/bias', tf.tensor1d([1000, -1000])], // a margin of 2000: softmax and its gradient are 0 there in float64 too
  ]);
  const [result] = resultsOf(ddn(model, zeros(4), { samples: 1, seed: 0, box }), weights);
  expect(result).toMatchObject({ outcome: 'found', distance: expect.closeTo(1, 3) });
});

test.each([
  ['ddn', ddn],
  ['fmn', fmn],
] as const)('%s: each sample has an outcome', (_, make) => {
  const d = 4;
  const options = { samples: 1, seed: 0, box, choose: 'all' } as const;
  const outcome = (model: Attacked, weights: Weights, more: object = {}) =>
    resultsOf(make(model, zeros(d), { ...options, ...more }), weights)[0]!;
  const weightsOf = (kernel: number[][], bias: number[]): Weights =>
    new Map<string, tf.Tensor>([
      ['readout/kernel', tf.tensor2d(kernel)],
      ['readout/bias', tf.tensor1d(bias)],
    ]);
  const plain = linear(d, 2, 'whole');
  const along = [[0, 1], ...Array.from({ length: d - 1 }, () => [0, 0])];

  // tied logits: the sample lies on the boundary
  const tied = outcome(plain, weightsOf(along, [0, 0]));
  expect(tied.outcome).toBe('found');
  expect(tied.distance).toBeLessThan(1e-3);

  // a gradient that is 0 everywhere
  const flat = Array.from({ length: d }, () => [0, 0]);
  expect(outcome(plain, weightsOf(flat, [1, 0])).outcome).toBe('never-flipped');

  // a gradient that is no number
  const broken = {
    ...plain,
    jacobian: { forward: plain.jacobian!.forward, backward: () => tf.fill([1, d], Number.NaN) },
  };
  expect(outcome(broken as Attacked, weightsOf(along, [1, 0])).outcome).toBe('not-a-number');

  // logits that are no numbers further out
  const out: Attacked = {
    ...plain,
    logits: (w, x) =>
      tf.tidy(() => tf.add(plain.logits(w, x), tf.mul(0, tf.div(0, tf.sub(1, tf.sign(tf.norm(x)))))) as tf.Tensor2D),
  };
  expect(outcome(out, weightsOf(along, [2, 0])).outcome).toBe('not-a-number');

  // the way out leaves the box at once, for the sample lies in its corner
  const corner = outcome(plain, weightsOf(along, [1, 0]), { box: { min: -1, max: 0 } });
  expect(corner).toMatchObject({ outcome: 'never-flipped', adversarial: new Float32Array(0) });
});

test('a budget ends the steps, and the best point so far stays', () => {
  const { model, weights } = regions();
  const samples = samplesFor(model, weights, 6, -1, 1);
  const results = resultsOf(ddn(model, samples, { samples: 6, seed: 0, box, budget: 60 }), weights);
  for (const { outcome, queries, distance } of results) {
    expect(outcome).toBe('out-of-queries');
    expect(queries).toBeLessThanOrEqual(60);
    expect(distance).toBeGreaterThan(0);
  }
});

test('options that do not fit are refused', () => {
  const { model, weights } = regions();
  const samples = samplesFor(model, weights, 2, -1, 1);
  const options = { samples: 1, seed: 0, box };
  expect(() => ddn(model, samples, { ...options, gamma: 1 })).toThrow("stage 'ddn' was given gamma = 1");
  expect(() => fmn(model, samples, { ...options, iterations: 0 })).toThrow("stage 'fmn' was given iterations = 0");
});
