import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const src = join(import.meta.dirname, '../src');
const page = readFileSync(join(src, 'README.md'), 'utf8');

test('the architecture page is short, and every module that it names is there', () => {
  expect(page.split('\n').length).toBeLessThanOrEqual(150);
  const linked = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => path!);
  expect(linked.length).toBeGreaterThan(30);
  expect(linked.filter((path) => !existsSync(join(src, path)))).toEqual([]);
});

test('the architecture page lists every room', () => {
  const rooms = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const table = page.slice(page.indexOf('## The rooms'));
  expect(rooms.map(({ name }) => name).filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
});
