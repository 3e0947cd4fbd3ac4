import { beforeAll, describe, expect, test } from 'vitest';
import type { Weights } from '../../../src/learn/model/model.js';
import type { AttackOptions, AttackState } from '../../../src/measure/attack/attack.js';
import type { WalkState } from '../../../src/measure/attack/boundary-walk.js';
import { cgba, semicircle, semicircleStep } from '../../../src/measure/attack/cgba.js';
import { SampleGroup, startGroup } from '../../../src/measure/attack/group.js';
import { hopSkipJump } from '../../../src/measure/attack/hop-skip-jump.js';
import { lowFrequencies } from '../../../src/measure/attack/low-frequencies.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import type { LabeledSamples } from '../../../src/measure/inputs.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { type Attacked, linear, samplesFor, updateOf } from './models.js';

type Steps = Iterable<readonly [AttackState<WalkState>, AttackResult?]>;

beforeAll(() => loadTensorFlow());

const attacks = { cgba, hopSkipJump };
type Name = keyof typeof attacks;

function attacked(
  name: Name,
  model: Attacked,
  weights: Weights,
  samples: LabeledSamples,
  options: AttackOptions & { readonly iterations?: number },
): AttackResult[] {
  const stage = attacks[name](model, samples, options);
  const results = [...(stage.next(stage.start(), updateOf(weights)) as Steps)].flatMap(([, result]) => result ?? []);
  return results.sort((a, b) => a.index - b.index);
}

describe.each(Object.keys(attacks) as Name[])('%s', (name) => {
  test.each(['whole', 'dense'] as const)('on a linear classifier it comes within 1 % of |w·x + b|/‖w‖ (%s)', (seen) => {
    const d = 12;
    const model = linear(d, 2, seen);
    const weights = model.start(0);
    const samples = samplesFor(model, weights, 6, -1, 1);
    const box = { min: -9, max: 9 };
    const results = attacked(name, model, weights, samples, { samples: 6, seed: 0, box, iterations: 25 });
    const [w, b] = ['readout/kernel', 'readout/bias'].map((key) => weights.get(key)!.dataSync());
    const difference = Array.from({ length: d }, (_, i) => w![2 * i + 1]! - w![2 * i]!);
    expect(results).toHaveLength(6);
    for (const { outcome, kind, original, distance } of results) {
      const margin = Math.abs(original.reduce((sum, x, i) => sum + x * difference[i]!, b![1]! - b![0]!));
      const exact = margin / Math.hypot(...difference);
      expect([outcome, kind]).toEqual(['found', 'black-box']);
      expect(distance / exact).toBeGreaterThan(1 - 1e-4);
      expect(distance / exact).toBeLessThan(1.01);
    }
  });

  test('a sample’s result depends on the seed and its index, not on the others of its group', () => {
    const model = linear(12, 3, 'dense');
    const weights = model.start(0);
    const samples = samplesFor(model, weights, 6, -2, 2);
    const options = { seed: 3, box: { min: -9, max: 9 }, iterations: 4, shuffle: false, group: 3 };
    const bits = (results: readonly AttackResult[]) => results.map(({ distance, curve }) => ({ distance, curve }));
    const all = attacked(name, model, weights, samples, { ...options, samples: 6 });
    expect(bits(attacked(name, model, weights, samples, { ...options, samples: 6 }))).toEqual(bits(all));
    expect(bits(attacked(name, model, weights, samples, { ...options, samples: 1 }))).toEqual(bits(all.slice(0, 1)));
    const other = attacked(name, model, weights, samples, { ...options, seed: 4, samples: 6 });
    expect(bits(other)).not.toEqual(bits(all));
  });

  test('its curve has a point for each step that changed it, and ends at the result', () => {
    const model = linear(12, 3, 'dense');
    const weights = model.start(0);
    const samples = samplesFor(model, weights, 3, -2, 2);
    const options = { samples: 3, seed: 3, box: { min: -9, max: 9 }, iterations: 6 };
    for (const { curve, distance, queries } of attacked(name, model, weights, samples, options)) {
      expect(curve.queries.length).toBeGreaterThan(4);
      expect(curve.queries.every((value, k) => k === 0 || value > curve.queries[k - 1]!)).toBe(true);
      expect(curve.queries.at(-1)).toBeLessThanOrEqual(queries);
      expect(curve.distance.at(-1)).toBeCloseTo(distance, 4);
      const walked = curve.distance.slice(0, -1); // the verification may move the last point outwards
      if (name === 'cgba') expect(walked).toEqual([...walked].sort((a, b) => b - a));
    }
  });
});

test('the semicircle over a segment: its ends, its length from x, and the foot of a flat boundary (Thales)', () => {
  const [x, boundary] = [Float32Array.of(0, 0), Float32Array.of(2, 0)];
  const at = (t: number, u: Float32Array) => {
    const into = new Float32Array(2);
    semicircle(x, boundary, u)!(t, into);
    return into;
  };
  const u = Float32Array.of(Math.SQRT1_2, Math.SQRT1_2);
  expect([...at(1, u)]).toEqual([2, 0]);
  expect(Math.hypot(...at(0, u))).toBeCloseTo(0, 6);
  const [a, b] = at(0.3, u) as unknown as [number, number];
  expect(Math.hypot(a - 1, b)).toBeCloseTo(1, 6); // about the middle of the segment
  expect([...at(0.5, u)]).toEqual([expect.closeTo(1, 6), expect.closeTo(1, 6)]); // the foot of {x + y = 2}, whose normal is u
  expect(semicircle(x, boundary, Float32Array.of(1, 0))).toBeUndefined();
  expect(semicircle(x, x, u)).toBeUndefined();
});

test('a step along the semicircle ends where it meets a boundary that is a circle', () => {
  // Adversarial outside of the unit circle about the origin: logits 1 and |p|².
  const model: Attacked = {
    ...linear(2, 2, 'whole'),
    logits: (_, p) =>
      tf.tidy(() => tf.concat([tf.ones([p.shape[0]!, 1]), tf.sum(tf.square(p), 1, true)], 1) as tf.Tensor2D),
  };
  const original = Float32Array.of(0.5, 0);
  const box = { lower: new Float32Array(2).fill(-3), upper: new Float32Array(2).fill(3), width: 6, clip: tf.clone };
  const task = {
    model,
    weights: new Map(),
    box,
    budget: 1000,
    indices: Uint32Array.of(0),
    chosen: Uint32Array.of(0),
    originals: original,
    labels: Uint8Array.of(0),
  };
  const group = new SampleGroup(task, startGroup(1, 1, 2, null));
  group.predicted[0] = 0;
  const x_b = [-0.6, 0.8];
  group.points.set(x_b);
  const normal = Float32Array.from(x_b); // of the circle
  semicircleStep(group, [normal], Uint8Array.of(1));

  // The semicircle's own circle has its middle m and its radius r; it meets the unit circle at x_b and at x_b's mirror image in the line from 0 to m.
  const m = [(0.5 + x_b[0]!) / 2, x_b[1]! / 2] as const;
  const scale = (2 * (m[0] * x_b[0]! + m[1] * x_b[1]!)) / (m[0] ** 2 + m[1] ** 2);
  const mirrored = [scale * m[0] - x_b[0]!, scale * m[1] - x_b[1]!];
  expect(group.points[0]).toBeCloseTo(mirrored[0]!, 3);
  expect(group.points[1]).toBeCloseTo(mirrored[1]!, 3);
  expect(group.queries[0]).toBe(17);
});

test('noise of low frequencies: of unit variance in its subspace, constant where one frequency is left', () => {
  const flat = lowFrequencies('cgba', [4, 4, 2], 4)!([32, 3], 'columns', [1, 2]);
  const values = flat.arraySync() as number[][];
  for (let i = 2; i < 32; i++) {
    for (let k = 0; k < 3; k++) expect(values[i]![k]).toBeCloseTo(values[i % 2]![k]!, 6);
  }

  const [columns, rows] = [
    lowFrequencies('cgba', [8, 6], 2)!([48, 400], 'columns', [1, 2]),
    lowFrequencies('cgba', [8, 6], 2)!([400, 48], 'rows', [1, 2]),
  ];
  expect(tf.transpose(columns).dataSync()).toEqual(rows.dataSync());
  const energy = tf.sum(tf.square(columns)).dataSync()[0]! / 400;
  expect(Math.abs(energy - 4 * 3)).toBeLessThan(1); // of 12 coefficients; standard deviation 0.25
  expect(() => lowFrequencies('cgba', [48], 2)).toThrow("stage 'cgba' was given reduction = 2");
});
