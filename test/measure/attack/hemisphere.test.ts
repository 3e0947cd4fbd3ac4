import { expect, test } from 'vitest';
import { distance } from '../../../src/measure/attack/group.js';
import { perturbationScale, schedule, tangentPoint } from '../../../src/measure/attack/hemisphere.js';
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

test.each([0.01, 1, 30])('a normal along the line from x leaves k on that line, %d away', (away) => {
  const d = 784;
  const direction = Float64Array.from({ length: d }, (_, i) => Math.sin(i * i + 1));
  const size = Math.sqrt(direction.reduce((sum, value) => sum + value ** 2, 0));
  const x = new Float32Array(d).fill(0.5);
  const boundary = Float32Array.from(direction, (value) => 0.5 + (away * value) / size);
  const normal = Float32Array.from(direction, (value) => value / size); // rounded: as the attack has it
  const radius = away / 10;
  const k = tangentPoint(x, boundary, normal, radius);
  const along = k.reduce((sum, value, i) => sum + (value - x[i]!) * normal[i]!, 0);
  expect(distance(k, x) / Math.abs(along)).toBeCloseTo(1, 4); // rounding was a direction of its own: 0.5 % of it
  expect(distance(k, boundary) / radius).toBeCloseTo(0.1, 3); // R cos β
});

test('a plane that is narrow is one all the same', () => {
  const x = Float32Array.of(0, 0);
  const boundary = Float32Array.of(1e-3, 0);
  const normal = Float32Array.of(1, 1e-5);
  const k = tangentPoint(x, boundary, normal, 1e-4);
  expect(distance(k, boundary)).toBeCloseTo(1e-4, 9);
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
