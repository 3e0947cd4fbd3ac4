import { expect, test } from 'vitest';
import { mean, pairedDifference } from '../../src/plot/statistics.js';
import { decide, type Estimate, together, verdictOf, verdictsOf } from '../../src/study/rules.js';

/** The mean of one value a seed. */
const over = (...values: number[]): Estimate => ({
  ...pairedDifference(
    values,
    values.map(() => 0),
  ),
  n: values.length,
  paired: true,
  values,
});

// Mean 2, standard deviation 1, so t = 2 · √3 with two degrees of freedom; for these the distribution has a closed form.
const three = over(1, 2, 3);
const tail = (t: number): number => 0.5 - t / (2 * Math.sqrt(2 + t * t));

test('for a region that begins at 0 it is Student’s two-sided test', () => {
  expect(decide(three, { above: 0 })).toEqual({ side: 'holds', p: expect.closeTo(2 * tail(2 * Math.sqrt(3)), 10) });
  expect(decide(three, { above: 0 })!.p).toBeCloseTo(pairedDifference([1, 2, 3], [0, 0, 0]).p!, 10);
  expect(decide(three, { below: 0 })).toEqual({ side: 'fails', p: expect.closeTo(2 * tail(2 * Math.sqrt(3)), 10) });
});

test('within two margins the larger of two one-sided p counts (TOST), beyond one of them the smaller', () => {
  const margins = { above: -1, below: 4 };
  expect(decide(three, margins)).toEqual({ side: 'holds', p: expect.closeTo(2 * tail(2 * Math.sqrt(3)), 10) });
  expect(decide(three, { above: -1, below: 1 })).toEqual({
    side: 'fails',
    p: expect.closeTo(2 * tail(Math.sqrt(3)), 10),
  });
});

test('p is below 0.05 just where the 95 % interval lies within the region', () => {
  const many = over(...Array.from({ length: 10 }, (_, i) => 0.3 + 0.1 * Math.sin(i)));
  for (const end of [many.lower!, many.upper!]) {
    const [inside, outside] = [end - 1e-6 * (end - mean(many.values)), end + 1e-6 * (end - mean(many.values))];
    const region = (at: number) => (end < mean(many.values) ? { above: at } : { below: at });
    expect(decide(many, region(outside))!.p).toBeLessThan(0.05);
    expect(decide(many, region(inside))!.p).toBeGreaterThan(0.05);
  }
});

test('one seed decides nothing, nor does a mean on the very end', () => {
  expect(decide(over(5), { above: 0 })).toBeNull();
  expect(decide(over(0, 0, 0), { above: 0 })).toBeNull();
});

test('seeds that all agree are judged by the sign test', () => {
  expect(decide(over(...new Array(10).fill(0)), { above: -0.01 })).toEqual({ side: 'holds', p: 2 * 0.5 ** 10 });
  expect(decide(over(...new Array(10).fill(-1)), { above: -0.01 })).toEqual({ side: 'fails', p: 2 * 0.5 ** 10 });
  expect(decide(over(1, 1), { above: 0 })).toEqual({ side: 'holds', p: 0.5 });
});

const holds = (p: number) => ({ side: 'holds', p }) as const;
const fails = (p: number) => ({ side: 'fails', p }) as const;

test('Holm’s method allows for all claims of a family', () => {
  expect(verdictsOf([holds(0.03)])).toEqual([{ word: 'holds', p: 0.03 }]);
  expect(verdictsOf([holds(0.03), fails(0.001), null])).toEqual([
    { word: 'holds', p: 0.03 },
    { word: 'fails', p: 0.002 },
    { word: 'not told apart', p: null },
  ]);
  expect(verdictsOf([holds(0.03), holds(0.03)])).toEqual(new Array(2).fill({ word: 'not told apart', p: 0.06 }));
  expect(verdictOf(holds(0.03))).toEqual({ word: 'holds', p: 0.03 });
});

test('a claim holds by the largest p of its comparisons, and fails by the smallest against it, times their number', () => {
  expect(together([holds(0.01), holds(0.04)])).toEqual(holds(0.04));
  expect(together([holds(0.01), fails(0.004), fails(0.5)])).toEqual(fails(0.012));
  expect(together([fails(0.6), holds(0.01)])).toEqual(fails(1));
  expect(together([holds(0.01), null])).toBeNull();
  expect(together([fails(0.01), null])).toEqual(fails(0.02)); // all comparisons count, decided or not
  expect(together([null])).toBeNull();
  expect(together([])).toBeNull();
});
