import { beforeAll, expect, test } from 'vitest';
import { seeds } from '../../../src/flow/random.js';
import { limitsOf } from '../../../src/measure/attack/box.js';
import {
  type BoundaryPoints,
  dense,
  direct,
  type Noise,
  normalOf,
  noSums,
} from '../../../src/measure/attack/normal.js';
import { statelessNormal } from '../../../src/tensorflow/ops/eager.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { network } from './models.js';

beforeAll(async () => {
  await loadTensorFlow();
});

test.each([
  ['one hidden layer', [16]],
  ['two', [40, 16]],
])('a dense first layer taken apart adds up to what whole forward passes do, clipping included: %s', (_, hidden) => {
  const [group, d, n, box] = [3, 12, 200, limitsOf('attack', { min: 0, max: 1 }, 12)];
  const model = network('dense', hidden);
  const weights = new Map([...model.start(1)].map(([name, w]) => [name, tf.mul(w, 100)]));
  const z = statelessNormal([d, n], seeds(1, 'test/noise')) as tf.Tensor2D;
  const noise: Noise = (_, [rows]) => (rows === d ? tf.clone(z) : tf.transpose(z));
  // on the bounds, near them, and far from them
  const points = Float32Array.from({ length: group * d }, (_, i) => [0, 0.001, 0.5, 1][i % 4]!);
  const around: BoundaryPoints = {
    points,
    scales: Float64Array.of(0.3, 0.01, 0.05),
    predicted: Int32Array.of(0, 1, 2),
    wanted: Uint8Array.of(1, 1, 0),
  };

  const [apart, whole] = [dense(model, model.first!, group, box), direct(model, group, box, n)].map((estimator) => {
    const sums = noSums(group, d);
    for (let unit = 0; unit < estimator.units(n); unit++) estimator.add(weights, around, n, unit, noise, sums);
    estimator.dispose();
    return sums;
  }) as [ReturnType<typeof noSums>, ReturnType<typeof noSums>];

  expect(apart.changed).toEqual(whole.changed);
  for (const slot of [0, 1]) {
    const [a, b] = [normalOf(apart, n, slot, d), normalOf(whole, n, slot, d)];
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-4);
    for (let i = slot * d; i < (slot + 1) * d; i++) expect(apart.overAll[i]! - whole.overAll[i]!).toBeCloseTo(0, 2);
  }
});

test('weights of the mean: all unchanged points the other way, all changed along, neither NaN', () => {
  const sums = { ...noSums(1, 2), overAll: Float64Array.of(3, 4), overChanged: Float64Array.of(0, 0) };
  expect([...normalOf(sums, 10, 0, 2)]).toEqual([Math.fround(-0.6), Math.fround(-0.8)]);
  const all = { ...sums, changed: Int32Array.of(10), overChanged: Float64Array.of(3, 4) };
  expect([...normalOf(all, 10, 0, 2)]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
  const half = { ...sums, changed: Int32Array.of(5), overChanged: Float64Array.of(1.5, 7) }; // 0, 5
  expect([...normalOf(half, 10, 0, 2)]).toEqual([0, 1]);
});
