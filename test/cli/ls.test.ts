import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runTable, sortedRuns } from '../../src/cli/ls.js';
import { listRuns } from '../../src/run/results.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { begin, forked, run } from '../run/forked-runs.js';

const base = mkdtempSync(join(tmpdir(), 'weir-ls-'));
beforeAll(() => loadTensorFlow());
afterAll(() => rmSync(base, { recursive: true }));

test('runs are listed with their state, what differs, and what they came to; sorted by any column', async () => {
  const [fast, damaged] = [begin(join(base, 'fast')), join(base, 'damaged')];
  expect(await run(fast)).toBe('done');
  const slow = await forked(fast, 5, join(base, 'slow'), 'rate=0.0001');
  expect(await run(slow, ({ number }) => number === 9)).toBe('stopped');
  mkdirSync(damaged);
  writeFileSync(join(damaged, 'config.json'), '{');

  const runs = await listRuns([fast.path, slow.path, damaged]);
  const by = (column: string) => sortedRuns(runs, column).map(({ path }) => path.split('/').at(-1));
  expect(runs.map(({ state, differs }) => [state, differs])).toEqual([
    ['damaged', {}],
    ['done', { rate: 0.05, origin: 'none' }],
    ['stopped', { rate: 0.0001, origin: `${fast.path}, update 5` }],
  ]);
  const [, done] = runs;
  expect(done!.results).toEqual([
    { regularizer: 'rep-spectral', networks: 2, accuracy: expect.any(Number), distance: expect.any(Number) },
  ]);
  expect(done!.results[0]!.accuracy).toBeGreaterThan(0.9);
  expect(by('rate')).toEqual(['slow', 'fast', 'damaged']);
  expect(by('accuracy')).toEqual(['fast', 'slow', 'damaged']);
  expect(() => by('rat')).toThrow("cannot sort by 'rat'");
  const [head, ...lines] = runTable(sortedRuns(runs, 'rate'));
  expect(head).toMatch(/run +pipeline +state +epoch +rate +origin +regularizer +accuracy +mean distance/);
  expect(lines.map((line) => line.split(/\s+/).slice(1, 4))).toEqual([
    ['forking', 'stopped', '3/8'],
    ['forking', 'done', '8/8'],
    ['–', 'damaged', '–'],
  ]);
});

const listed = {
  path: 'a',
  pipeline: 'table',
  state: 'done',
  createdAt: null,
  epoch: 1,
  epochs: 1,
  differs: {},
} as const;

test('of several attacks the best distance has a column of its own, also where the first found nothing', () => {
  const of = (path: string, result: object) => ({
    ...listed,
    path,
    results: [{ regularizer: 'none', networks: 1, accuracy: 0.5, distance: null, ...result }],
  });
  const runs = [of('a', { distance: 2 }), of('b', { bestDistance: 0.5 }), of('c', { distance: 1, bestDistance: 0.75 })];
  const [head, ...lines] = runTable(runs);
  expect(head).toMatch(/mean distance +mean best distance$/);
  expect(lines.map((line) => line.trim().split(/\s+/).slice(-2))).toEqual([
    ['2.00', '–'],
    ['–', '0.500'],
    ['1.00', '0.750'],
  ]);
  expect(sortedRuns(runs, 'bestDistance').map(({ path }) => path)).toEqual(['c', 'b', 'a']);
  expect(runTable(runs.slice(0, 1))[0]).toMatch(/mean distance$/);
});

test('an accuracy of another stream than tests does not pass for the test accuracy', () => {
  const result = { regularizer: 'none', networks: 1, accuracy: 0.5, distance: 2 };
  const line = (more: object) => runTable([{ ...listed, results: [{ ...result, ...more }] }])[1];
  expect(line({})).toMatch(/50\.0 % +2/);
  expect(line({ accuracyOf: 'validations' })).toContain('50.0 % (validations)');
});
