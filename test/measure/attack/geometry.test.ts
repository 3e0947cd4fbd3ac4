import { expect, test } from 'vitest';
import { distance, tangentPoint } from '../../../src/measure/attack/geometry.js';
import { perturbationScale, schedule } from '../../../src/measure/attack/schedule.js';
import { deviation, type GoldenTensor, golden } from '../../golden.js';

interface Input {
  readonly x: GoldenTensor;
  readonly boundary: GoldenTensor;
  readonly normal: GoldenTensor;
  readonly radius: number;
}
const cases = golden<Input, { readonly tangentPoint: GoldenTensor }>('tangent-point');
const f32 = (tensor: GoldenTensor): Float32Array => Float32Array.from(tensor.data);

test.skipIf(cases === undefined)('reference vectors: tangent-point', () => {
  for (const { name, input, expected, tolerance } of cases ?? []) {
    const k = tangentPoint(f32(input.x), f32(input.boundary), f32(input.normal), input.radius);
    expect(deviation(k, expected.tangentPoint.data, tolerance), name).toBeLessThanOrEqual(1);
  }
});

test('the line from x touches the hemisphere: k is R from x_b, and x_b − k is at right angles to x − k', () => {
  const x = Float32Array.of(0, 0, 0);
  const boundary = Float32Array.of(1, 0.2, -0.1);
  const normal = Float32Array.of(0.6, 0.8, 0);
  const k = tangentPoint(x, boundary, normal, 0.3);
  expect(distance(k, boundary)).toBeCloseTo(0.3, 6);
  const dot = k.reduce((sum, value, i) => sum + (value - boundary[i]!) * (value - x[i]!), 0);
  expect(dot).toBeCloseTo(0, 6);
});

test('without a distance there is no tangent point', () => {
  const x = Float32Array.of(1, 2);
  expect([...tangentPoint(x, x, Float32Array.of(1, 0), 0)]).toEqual([Number.NaN, Number.NaN]);
});

test('the schedule: evaluations, their sum, and the halvings that reach the tolerance', () => {
  expect([1, 2, 3, 40, 10_000, 20_000].map(schedule.evaluations)).toEqual([100, 141, 173, 632, 10_000, 10_000]);
  const all = Array.from({ length: 40 }, (_, i) => schedule.evaluations(i + 1)).reduce((a, b) => a + b);
  expect(Math.round(all / 50) * 50).toBe(17_150);
  expect(2 ** -schedule.halvings).toBeLessThanOrEqual(schedule.tolerance);
  expect(2 ** -(schedule.halvings - 1)).toBeGreaterThan(schedule.tolerance);
  expect(perturbationScale(1, { width: 4 }, 7, 2)).toBeCloseTo(0.4);
  expect(perturbationScale(2, { width: 4 }, 7, 2)).toBe(3.5);
});
