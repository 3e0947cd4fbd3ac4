import { expect, test } from 'vitest';
import { columns } from '../../src/plot/columns.js';

const drawn = (...values: number[]): string =>
  columns([{ label: 'none', regularizer: 'none', values, error: null }], {
    label: 'Δx',
    width: 300,
    height: 200,
    show: 'bar',
  }).svg;

test('a single network is its mean alone, and of several each has a dot beside it', () => {
  const dots = (svg: string): number => svg.split('<circle').length - 1;
  expect(dots(drawn(0.5))).toBe(0);
  expect(dots(drawn(0.5, 0.6))).toBe(2);
});
