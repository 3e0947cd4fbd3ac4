import { beforeAll, expect, test } from 'vitest';
import { keyed } from '../../../src/flow/random.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Model, Weights } from '../../../src/learn/model/model.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { trainStage } from '../../../src/learn/train.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import { type TangentAttackOptions, tangentAttack } from '../../../src/measure/attack/tangent-attack.js';
import type { LabeledSamples } from '../../../src/measure/inputs.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { linear, network, samplesFor, updateOf } from './models.js';

beforeAll(() => loadTensorFlow());

const box = { min: -2, max: 2 };
const attack = (
  model: Model,
  weights: Weights,
  samples: LabeledSamples,
  options: Partial<TangentAttackOptions>,
): AttackResult[] => {
  const stage = tangentAttack(model, samples, { samples: samples.size, seed: 1, box, certificate: true, ...options });
  const steps = stage.next(stage.start(), updateOf(weights)) as Iterable<readonly [unknown, AttackResult?]>;
  return [...steps].flatMap(([, result]) => result ?? []);
};

/** Points of a plane, by which side of the unit circle they are on. */
function rings(size: number): LabeledSamples {
  const random = keyed(3, 'test/rings');
  const values = new Float32Array(2 * size);
  const labels = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    const [angle, inner] = [2 * Math.PI * random.uniform(), random.uniform() < 0.5];
    const radius = inner ? 0.6 * random.uniform() : 1.3 + 0.6 * random.uniform();
    values.set([radius * Math.cos(angle), radius * Math.sin(angle)], 2 * i);
    labels[i] = Number(inner);
  }
  return { name: 'rings', size, sampleShape: [2], values, labels };
}

test('on a trained network: both bounds ≤ Δx for every sample, and the relaxation near it', () => {
  const samples = rings(120);
  const model = mlp([2, 16, 2], { scale: 'none' });
  const stage = trainStage(model, { loss: crossEntropy(), optimizer: sgd({ rate: 0.5, momentum: 0.9 }), seed: 4 });
  let state = stage.start();
  const values = Float32Array.from(samples.values);
  for (let epoch = 1; epoch <= 400; epoch++) {
    const batch = { position: 120 * epoch, epoch, remaining: 0, sampleShape: [2], values, labels: samples.labels };
    state = stage.next(state, batch)[0];
  }
  const results = attack(model, state.weights, samples, { samples: 60, iterations: 10 });
  expect(results).toHaveLength(60);
  for (const { outcome, lower, method, local, distance, theta, featureNorm } of results) {
    expect(outcome).toBe('found');
    expect(lower).toBeGreaterThan(distance / 1.5);
    expect(method).toBe('sdp');
    expect(distance).toBeGreaterThanOrEqual(lower!);
    expect(distance).toBeGreaterThanOrEqual(local!);
    expect(theta).toBeGreaterThan(0);
    expect(featureNorm).toBeGreaterThan(0);
  }
  stage.dispose(state);
});

test('a linear network, whose bound is exact: float32 brings no attack below it', () => {
  const model = linear(24, 2, 'dense');
  const weights = model.start(0);
  const results = attack(model, weights, samplesFor(model, weights, 20, -1, 1), { iterations: 30 });
  expect(results).toHaveLength(20);
  for (const { lower, distance } of results) {
    expect(lower).toBeLessThanOrEqual(distance);
    expect(lower).toBeGreaterThan(0.97 * distance - 1e-3);
  }
});

test('a distance below the bound ends the run, by sample and both numbers', () => {
  const model = network('whole');
  const weights = new Map([...model.start(2)].map(([name, w]) => [name, tf.mul(w, 60)]));
  const samples = samplesFor(model, weights, 3, -1, 1);
  const lying = { ...model, parts: [] };
  const options = { iterations: 2, samples: 1, shuffle: false };
  const [{ distance }] = attack(model, weights, samples, options) as [AttackResult];
  expect(() => attack(lying, weights, samples, options)).toThrow(
    new RegExp(
      `^stage 'tangent attack': sample 0 has an adversarial point at a distance of ${distance}, nearer than its certified lower bound \\d[^ ]* \\(by (crown|sdp|lipschitz)\\)`,
    ),
  );
});

test('without an adversarial point the bounds are there all the same; not asked for, they are not', () => {
  const model = network('whole');
  const weights = new Map([...model.start(2)].map(([name, w]) => [name, tf.mul(w, 60)]));
  const samples = samplesFor(model, weights, 2, -1, 1);
  const labels = samples.labels.map((label, i) => (i === 1 ? (label + 1) % 3 : label));
  const options = { budget: 2, choose: 'all', shuffle: false } as const;
  const [wrong, starved] = attack(model, weights, { ...samples, labels }, options);
  expect(starved).toMatchObject({ outcome: 'out-of-queries', distance: Number.NaN });
  expect(starved!.lower).toBeGreaterThan(0);
  expect(wrong).toMatchObject({ outcome: 'already-misclassified', lower: 0, local: 0 });
  expect(attack(model, weights, samples, { ...options, certificate: false })[0]).not.toHaveProperty('lower');
});
