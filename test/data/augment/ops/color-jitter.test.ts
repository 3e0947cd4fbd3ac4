import { expect, test } from 'vitest';
import { colorJitter, drawJitter, rangesOf } from '../../../../src/data/augment/ops/color-jitter.js';
import { keyed } from '../../../../src/flow/seed.js';

test('each of the 24 orders comes equally often, factors stay inside of their ranges and fill them', () => {
  const ranges = rangesOf(colorJitter({ brightness: 0.4, contrast: [0.5, 0.7], saturation: 2, hue: 0.1 }));
  expect(ranges).toEqual([
    [0.6, 1.4],
    [0.5, 0.7],
    [0, 3],
    [-0.1, 0.1],
  ]);
  const drawn = { order: new Uint8Array(4), factors: new Float64Array(4) };
  const counts = new Map<string, number>();
  const least = [9, 9, 9, 9];
  const most = [-9, -9, -9, -9];
  for (let i = 0; i < 4800; i++) {
    drawJitter(ranges, keyed(1, 'test', i), drawn);
    const order = drawn.order.join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
    drawn.factors.forEach((factor, k) => {
      least[k] = Math.min(least[k]!, factor);
      most[k] = Math.max(most[k]!, factor);
    });
  }
  expect(counts.size).toBe(24);
  const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
  expect(chi2).toBeLessThan(49.7); // 23 degrees of freedom, p = 0.001
  ranges.forEach((range, k) => {
    const [from, to] = range!;
    const margin = (to - from) / 500;
    expect(least[k]! >= from && least[k]! < from + margin).toBe(true);
    expect(most[k]! <= to && most[k]! > to - margin).toBe(true);
  });
});

test('what is left out, or changes nothing, is no range', () => {
  expect(rangesOf(colorJitter({ brightness: 0, hue: [0.1, 0.1] }))).toEqual([
    undefined,
    undefined,
    undefined,
    [0.1, 0.1],
  ]);
});
