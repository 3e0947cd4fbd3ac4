import { beforeAll, expect, test } from 'vitest';
import { deepFool } from '../../../src/measure/attack/deepfool.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import { tangentAttack } from '../../../src/measure/attack/tangent-attack.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { linear, network, samplesFor, updateOf } from './models.js';

beforeAll(() => loadTensorFlow());

const box = { min: -3, max: 3 };
const resultsOf = (
  stage: ReturnType<typeof deepFool> | ReturnType<typeof tangentAttack>,
  weights: ReturnType<typeof updateOf>['weights'],
) =>
  [...(stage.next({ phase: 'rest' }, updateOf(weights)) as Iterable<readonly [unknown, AttackResult?]>)].flatMap(
    ([, result]) => result ?? [],
  );

test('a linear classifier: the exact distance |w·x + b|/‖w‖ after one step', () => {
  const d = 24;
  const model = linear(d, 2, 'whole');
  const weights = model.start(0);
  const samples = samplesFor(model, weights, 12, -1, 1);
  const [w, b] = ['readout/kernel', 'readout/bias'].map((name) => weights.get(name)!.dataSync()) as [
    Float32Array,
    Float32Array,
  ];
  for (const { original, distance, queries } of resultsOf(
    deepFool(model, samples, { samples: 12, seed: 0, box }),
    weights,
  )) {
    let [margin, square] = [b[1]! - b[0]!, 0];
    for (let i = 0; i < d; i++) {
      margin += (w[2 * i + 1]! - w[2 * i]!) * original[i]!;
      square += (w[2 * i + 1]! - w[2 * i]!) ** 2;
    }
    expect(distance / (Math.abs(margin) / Math.sqrt(square))).toBeCloseTo(1, 3);
    expect(queries).toBeGreaterThanOrEqual(1 + 2 + 1 + 17 + 1); // prediction, step, its class, boundary, verification
    expect(queries).toBeLessThanOrEqual(1 + 2 + 1 + 17 + 6); // of at most six rounds
  }
});

test('beside the Tangent Attack: distances of the same size with a hundredth of the evaluations', () => {
  const model = network('dense');
  const weights = new Map([...model.start(2)].map(([name, w]) => [name, tf.mul(w, 60)]));
  const samples = samplesFor(model, weights, 20, -1, 1);
  const options = { samples: 20, seed: 3, box };
  const [fast, slow] = [deepFool, tangentAttack].map((make) => resultsOf(make(model, samples, options), weights)) as [
    AttackResult[],
    AttackResult[],
  ];
  const mean = (of: readonly AttackResult[], key: 'distance' | 'queries') =>
    of.reduce((sum, result) => sum + result[key], 0) / of.length;
  expect(fast.every(({ outcome }) => outcome === 'found')).toBe(true);
  expect(mean(fast, 'distance') / mean(slow, 'distance')).toBeGreaterThan(0.99);
  expect(mean(fast, 'distance') / mean(slow, 'distance')).toBeLessThan(1.5);
  expect(mean(fast, 'queries')).toBeLessThan(mean(slow, 'queries') / 50);
});
