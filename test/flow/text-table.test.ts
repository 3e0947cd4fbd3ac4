import { expect, test } from 'vitest';
import { columns, cut, textTable } from '../../src/flow/terminal.js';

test('width counts columns, not code units', () => {
  expect(columns('数字')).toBe(4);
  expect(columns('e\u0301\x1b[31mσ\x1b[39m')).toBe(2);
  expect(columns('🎉👩‍🔬')).toBe(4);
  expect(cut('数字認識', 5)).toBe('数字…');
});

test('cells of a column begin below one another, whatever their letters and colors, and no line ends in spaces', () => {
  expect(textTable([['class', 'samples', ''], ['数字', '\x1b[31m1\x1b[39m', 'x'], ['only']])).toEqual([
    'class  samples',
    '数字   \x1b[31m1\x1b[39m        x',
    'only',
  ]);
  expect(textTable([])).toEqual([]);
  expect(textTable([['gamma', '0.001']], { width: 8 })).toEqual(['gamma  …']);
});
