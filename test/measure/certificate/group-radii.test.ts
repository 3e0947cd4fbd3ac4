import { beforeAll, describe, expect, test } from 'vitest';
import type { ActivationName } from '../../../src/learn/model/activation.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Weights } from '../../../src/learn/model/model.js';
import { resnet } from '../../../src/learn/model/resnet/resnet.js';
import { ddn } from '../../../src/measure/attack/ddn.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import { centerOf, crownRadius } from '../../../src/measure/certificate/crown.js';
import { groupRadii } from '../../../src/measure/certificate/group-radii.js';
import { curves, gridLines } from '../../../src/measure/certificate/relaxation.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { samplesFor, updateOf } from '../attack/models.js';
import { inFloat64 } from './in-float64.js';

beforeAll(() => loadTensorFlow());

const times = (weights: Weights, by: number): Weights =>
  new Map([...weights].map(([name, w]) => [name, tf.mul(w, by)]));
const rivalsOf = (label: number) => [0, 1, 2].filter((k) => k !== label);

describe.each([
  ['gelu', [16]],
  ['relu', [16]],
  ['tanh', [16, 8]],
  ['sigmoid', [16]],
] as [ActivationName, number[]][])('%s, hidden %j', (activation, hidden) => {
  test('the radius is proved by CROWN in float64, and hardly smaller than its largest', () => {
    const model = mlp([12, ...hidden, 3], { scale: 'none', activation });
    const weights = times(model.start(2), 12);
    const { values, labels } = samplesFor(model, weights, 8, -1, 1);
    const wanted = Array.from(labels, (label, slot) => ({
      slot,
      label,
      x: values.slice(12 * slot, 12 * slot + 12) as Float32Array,
      guess: [0.01, 0.3, 100, 0][slot % 4]!,
    }));
    const radiiOf = groupRadii(model, weights, 10)!;
    const radii = radiiOf(wanted);
    const { network, leastMargin } = inFloat64(model, weights);
    for (const { slot, x, label } of wanted) {
      const center = centerOf(network, x);
      const largest = crownRadius(network, center, label, rivalsOf(label));
      expect(radii[slot]).toBeLessThanOrEqual(largest * (1 + 1e-3)); // its own search stops at 1e-4
      expect(radii[slot]).toBeGreaterThan(0.96 * largest);
      expect(leastMargin(x, label, radii[slot]!)).toBeGreaterThanOrEqual(0);
    }
    const [alone] = radiiOf(wanted.slice(5, 6));
    expect(alone).toBe(radii[5]);
    tf.dispose([...weights.values()]);
  });
});

test('a wrong class, or numbers that are none, prove nothing', () => {
  const model = mlp([12, 16, 3], { scale: 'none' });
  const weights = times(model.start(2), 12);
  const { values, labels } = samplesFor(model, weights, 2, -1, 1);
  const x = values.slice(0, 12) as Float32Array;
  const of = (label: number, input: Float32Array) => ({ slot: 0, label, x: input, guess: 0.1 });
  const radiiOf = groupRadii(model, weights, 1)!;
  expect([...radiiOf([of((labels[0]! + 1) % 3, x)])]).toEqual([0]);
  expect([
    ...radiiOf([
      of(
        labels[0]!,
        x.map(() => Number.NaN),
      ),
    ]),
  ]).toEqual([0]);
  const network = resnet({ depth: 18, width: 4, stem: 'cifar', inputSize: [8, 8], classes: 3 });
  expect(groupRadii(network, network.start(0), 1)).toBeUndefined();
});

test('lines of the grid hold on the interval that was asked for', () => {
  for (const curve of [curves.gelu, curves.tanh, curves.sigmoid, curves.relu]) {
    for (const [low, high] of [
      [-1.003, 0.501],
      [0.2, 0.2001],
      [-30, 40],
      [-3, -2.999],
    ] as const) {
      const { below, above } = gridLines(curve, low, high);
      expect(gridLines(curve, low, high)).toEqual({ below, above });
      for (let i = 0; i <= 50; i++) {
        const z = low + ((high - low) * i) / 50;
        expect(below.slope * z + below.offset).toBeLessThanOrEqual(curve.value(z) + 1e-12);
        expect(above.slope * z + above.offset).toBeGreaterThanOrEqual(curve.value(z) - 1e-12);
      }
    }
  }
});

test('an attack with CROWN beside it: both sides of every sample, 0 for one that is wrong already', () => {
  const model = mlp([12, 16, 3], { scale: 'none' });
  const weights = times(model.start(2), 12);
  const given = samplesFor(model, weights, 9, -1, 1);
  const samples = { ...given, labels: given.labels.map((label, i) => (i === 4 ? (label + 1) % 3 : label)) };
  const options = { samples: 9, seed: 1, box: { min: -2, max: 2 }, choose: 'all', certificate: 'crown' } as const;
  const stage = ddn(model, samples, { iterations: 40, ...options });
  const steps = stage.next(stage.start(), updateOf(weights)) as Iterable<readonly [unknown, AttackResult?]>;
  const results = [...steps].flatMap(([, result]) => result ?? []).sort((a, b) => a.index - b.index);
  expect(results).toHaveLength(9);
  const { classOf, leastMargin } = inFloat64(model, weights);
  for (const { index, label, outcome, lower, method, distance, local, original, adversarial } of results) {
    expect(local).toBeUndefined();
    if (index === 4)
      expect({ outcome, lower, method }).toEqual({ outcome: 'already-misclassified', lower: 0, method: 'none' });
    else {
      expect(method).toBe('crown');
      expect(leastMargin(original, label, lower!)).toBeGreaterThanOrEqual(0);
      expect(classOf(adversarial)).not.toBe(label);
      expect(lower).toBeLessThanOrEqual(Math.hypot(...adversarial.map((value, i) => value - original[i]!)));
      expect(lower).toBeLessThanOrEqual(distance);
      expect(lower).toBeGreaterThan(distance / 4);
    }
  }
  expect(() => ddn(model, samples, { ...options, certificate: 'crwon' as 'crown' })).toThrow(
    'stage \'ddn\' was given certificate = "crwon"',
  );
});
