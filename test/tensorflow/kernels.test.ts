import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, '../../src/tensorflow/kernels');
const page = readFileSync(join(folder, 'README.md'), 'utf8');
/** Rows of the table: the operations that stand in the first cell, and the last cell. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `Weir'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map((cells) => ({ operations: [...cells[1]!.matchAll(/Weir\w+/g)].map(String), test: cells.at(-2)! }));

const defined = readdirSync(folder)
  .filter((name) => name.endsWith('.cc'))
  .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(/\bdefine\(\s*"(Weir\w+)"/g)])
  .map((match) => match[1]!.replace(/16$/, ''));

test('every operation stands in the table of kernels/README.md once, and no other does', () => {
  expect(defined.length).toBeGreaterThan(15);
  expect(rows.flatMap(({ operations }) => operations).sort()).toEqual([...new Set(defined)].sort());
});

test.each(rows)('the test of $operations exists', ({ test }) => {
  const path = /\]\((.+)\)/.exec(test)?.[1];
  expect(path && existsSync(join(folder, path))).toBe(true);
});
