import { beforeAll, describe, expect, test } from 'vitest';
import { keyed } from '../../../src/flow/random.js';
import { activations } from '../../../src/learn/model/activation.js';
import {
  type ActivationCurve,
  cumulative,
  curves,
  extreme,
  leastQuadratic,
  linesOf,
} from '../../../src/measure/certificate/relaxation.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const named = Object.entries(curves) as [keyof typeof curves, ActivationCurve][];

/** Intervals of all sizes and places: ends of pieces of curvature, and between. */
function intervals(count: number): [low: number, high: number][] {
  const random = keyed(5, 'test/intervals');
  const ends = [-Math.SQRT2, 0, Math.SQRT2];
  return Array.from({ length: count }, (_, i) => {
    const width = 10 ** (3 * random.uniform() - 2);
    const middle = i % 3 === 0 ? ends[i % ends.length]! + 0.1 * random.normal() : 3 * random.normal();
    return i % 5 === 0 ? [ends[i % 3]!, ends[i % 3]! + width] : [middle - width, middle + width];
  });
}

const POINTS = 2000;
const at = (low: number, high: number, i: number): number => low + ((high - low) * i) / POINTS;

test.each([
  [-8, 6.220960574271819e-16],
  [-5.1, 1.6982674071476037e-7],
  [-4.9, 4.791832765903205e-7],
  [-2, 0.02275013194817922],
  [-0.3, 0.3820885778110474],
  [0.7, 0.758036347776927],
  [4.99, 0.9999996981035375],
  [5.01, 0.9999997278498227],
])('the cumulative normal distribution at %d, by C: erfc(−z/√2)/2', (z, expected) => {
  expect(Math.abs(cumulative(z) - expected)).toBeLessThan(5e-16);
});

describe.each(named)('%s', (name, curve) => {
  test('is the activation, within what float32 is allowed; slope, pieces and curvature are its own', () => {
    const z = Float64Array.from({ length: 4001 }, (_, i) => (i - 2000) / 200);
    const taken = activations[name].value(tf.tensor2d(Float32Array.from(z), [1, z.length])).dataSync();
    const bias = tf.zeros([z.length]) as tf.Tensor1D;
    const fused = activations[name]
      .fused?.()
      ?.value(tf.tensor2d(Float32Array.from(z), [1, z.length]), bias, 1)
      .dataSync();
    const h = 1e-4;
    for (let i = 0; i < z.length; i++) {
      const exact = curve.value(Math.fround(z[i]!));
      const allowed = curve.rounding * Math.max(1, Math.abs(z[i]!));
      for (const values of [taken, ...(fused ? [fused] : [])]) {
        expect(Math.abs(values[i]! - exact)).toBeLessThanOrEqual(allowed);
      }
      if (name === 'relu' && Math.abs(z[i]!) < 2 * h) continue;
      expect(Math.abs((curve.value(z[i]! + h) - curve.value(z[i]! - h)) / (2 * h) - curve.slope(z[i]!))).toBeLessThan(
        1e-7,
      );
      const bend = (curve.slope(z[i]! + h) - curve.slope(z[i]! - h)) / (2 * h);
      const pieces = curve.inflections.filter((end) => end < z[i]!).length;
      const far = curve.inflections.every((end) => Math.abs(end - z[i]!) > 2 * h);
      if (far) expect(bend * (curve.convexFirst === (pieces % 2 === 0) ? 1 : -1)).toBeGreaterThan(-1e-11);
      if (curve.curvature) {
        expect(bend).toBeGreaterThan(curve.curvature[0] - 1e-7);
        expect(bend).toBeLessThan(curve.curvature[1] + 1e-7);
      }
      expect(Math.abs(curve.slope(z[i]!))).toBeLessThanOrEqual(curve.lipschitz);
    }
  });

  test('its lines hold on every interval, densely, and touch', () => {
    let [apart, widths] = [0, 0];
    for (const [low, high] of intervals(300)) {
      const { below, above } = linesOf(curve, low, high);
      let [least, most] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      for (let i = 0; i <= POINTS; i++) {
        const z = at(low, high, i);
        const value = curve.value(z);
        const [under, over] = [value - below.slope * z - below.offset, above.slope * z + above.offset - value];
        least = Math.min(least, under);
        most = Math.min(most, over);
      }
      expect(least).toBeGreaterThan(-1e-12);
      expect(most).toBeGreaterThan(-1e-12);
      const room = 1e-3 * (high - low) + 1e-9;
      expect(least).toBeLessThan(room);
      expect(most).toBeLessThan(room);
      const middle = (low + high) / 2;
      apart += above.slope * middle + above.offset - below.slope * middle - below.offset;
      widths += high - low;
    }
    expect(apart).toBeLessThan(0.5 * widths);
  });

  test('any slope makes a line, and any quadratic a bound, from below and closely', () => {
    const random = keyed(8, 'test/slopes');
    for (const [low, high] of intervals(300)) {
      const slope = 1.5 * random.normal();
      const sides = [1, -1] as const;
      const found = sides.map((side) => extreme(curve, slope, low, high, side));
      const [z, rho] = [(low + high) / 2, (high - low) / 2];
      const term = {
        c: random.normal(),
        z,
        rho,
        s: random.normal(),
        kappa: (2 * random.normal()) / Math.max(rho, 0.1),
      };
      const quadratic = leastQuadratic(curve, term, 1e-7).value;
      const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      for (let i = 0; i <= POINTS; i++) {
        const x = at(low, high, i);
        const t = x - z;
        sides.forEach((side, k) => {
          least[k] = Math.min(least[k]!, side * (curve.value(x) - slope * x));
        });
        least[2] = Math.min(least[2]!, term.c * curve.value(x) + (term.kappa / 2) * t * t - term.s * t);
      }
      const size = (1 + Math.abs(slope)) * (high - low);
      [...found, quadratic].forEach((bound, k) => {
        expect(bound).toBeLessThan(least[k]! + 1e-11);
        const between = name === 'relu' ? 6e-4 : 1e-5; // its kink lies between two points
        expect(bound).toBeGreaterThan(
          least[k]! - between * Math.max(size, Math.abs(term.kappa) * rho * rho, Math.abs(term.c) * rho) - 2e-7,
        );
      });
    }
  });
});
