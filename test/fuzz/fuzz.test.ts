import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fuzz } from './fuzz.js';
import { single, targets } from './target/all.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

// Seeds of their own, so that a failure is the same everywhere; `npm run bench -- fuzz` takes 100,000 others.
test.each(targets(folder).map((target) => [target.name, target] as const))('%s: 400 inputs', async (_, target) => {
  const { loaded, refused, findings } = await fuzz(target, { from: 1, count: 400, folder });
  expect(findings).toEqual([]);
  expect(loaded + refused).toBe(400);
  expect(refused).toBeGreaterThan(0);
});

test.each(single.map((target) => [target.name, target] as const))('%s is refused', async (_, target) => {
  const { refused, findings } = await fuzz(target, { from: 1, count: 1, folder });
  expect(findings).toEqual([]);
  expect(refused).toBe(1);
});
