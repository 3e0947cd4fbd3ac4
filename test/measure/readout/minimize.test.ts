import { expect, test } from 'vitest';
import { type Minimum, minimizer, type Objective } from '../../../src/measure/readout/minimize.js';

/** Rosenbrock's valley: its minimum is 0 at (1, 1). */
const valley: Objective = {
  *evaluate(x, gradient) {
    const [a, b] = x as unknown as [number, number];
    gradient[0] = -2 * (1 - a) - 400 * a * (b - a * a);
    gradient[1] = 200 * (b - a * a);
    yield;
    return (1 - a) ** 2 + 100 * (b - a * a) ** 2;
  },
};

const done = <T>(work: Generator<void, T>): T => {
  for (;;) {
    const slice = work.next();
    if (slice.done) return slice.value;
  }
};

function minima(problem: Objective, options: Parameters<typeof minimizer>[1], from: Minimum | Float64Array): Minimum[] {
  const all = [from instanceof Float64Array ? done(minimizer(problem, options).start(from)) : from];
  const { next } = minimizer(problem, options);
  while (all.at(-1)!.ended === 'no') all.push(done(next(all.at(-1)!)));
  return all;
}

const tight = { tolerance: 1e-10, iterations: 200 };

test('it finds the bottom of a bent valley, every step no worse than the one before', () => {
  const all = minima(valley, tight, Float64Array.of(-1.2, 1));
  const last = all.at(-1)!;
  expect(last.ended).toBe('converged');
  expect(last.iterations).toBeLessThan(60);
  expect([...last.x].every((x) => Math.abs(x - 1) < 1e-9)).toBe(true);
  for (let i = 1; i < all.length; i++) expect(all[i]!.value).toBeLessThanOrEqual(all[i - 1]!.value);
});

test('gone on from any iteration, as a snapshot keeps it, the rest is the same to the bit', () => {
  const scaled: Objective = {
    ...valley,
    precondition: function* (at) {
      yield;
      const size = 1 + Math.abs(at[0]!);
      return (vector) => Float64Array.of(vector[0]! / size, vector[1]! / 200);
    },
  };
  const options = { ...tight, refresh: 4 };
  const whole = minima(scaled, options, Float64Array.of(-1.2, 1));
  expect(whole.at(-1)!.ended).toBe('converged');
  expect(new Set(whole.map(({ anchored }) => anchored)).size).toBeGreaterThan(3);
  whole.forEach((at, i) => {
    expect(minima(scaled, options, structuredClone(at))).toEqual(whole.slice(i));
  });
});

test('an exact preconditioner makes a quadratic one step', () => {
  const curvature = [1, 1e6];
  const bowl: Objective = {
    *evaluate(x, gradient) {
      curvature.forEach((c, i) => {
        gradient[i] = c * (x[i]! - 3);
      });
      return curvature.reduce((sum, c, i) => sum + (c * (x[i]! - 3) ** 2) / 2, 0);
    },
    *precondition() {
      return (vector) => vector.map((value, i) => value / curvature[i]!);
    },
  };
  const last = minima(bowl, { tolerance: 1e-9, iterations: 50 }, new Float64Array(2)).at(-1)!;
  expect(last).toMatchObject({ ended: 'converged', iterations: 1 });
});

test('it says how it ended: out of iterations, or where float64 tells no better point', () => {
  expect(minima(valley, { tolerance: 1e-10, iterations: 3 }, Float64Array.of(-1.2, 1)).at(-1)).toMatchObject({
    ended: 'iterations',
    iterations: 3,
  });
  const steep: Objective = {
    *evaluate(x, gradient) {
      yield;
      gradient[0] = x[0]! >= 0 ? 1 : -1; // |x| + 1 never has a small gradient
      return Math.abs(x[0]!) + 1;
    },
  };
  expect(minima(steep, tight, Float64Array.of(0.3)).at(-1)!.ended).toBe('stalled');
});
