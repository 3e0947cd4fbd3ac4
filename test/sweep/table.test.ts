import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JobEntry } from '../../src/sweep/ledger.js';
import { LiveSweep, reasons, summary, sweepTable } from '../../src/sweep/table.js';
import { sweep } from '../../src/sweep.js';
import type small from './small.js';

const entry = (state: JobEntry['state'], more: Partial<JobEntry> = {}): JobEntry => ({
  state,
  attempts: 1,
  barren: 0,
  changed: 0,
  ...more,
});
const location = { kind: 'process', mark: { pid: 7, host: 'here' } } as const;
const rows = [
  { name: 'seed-0', entry: entry('done', { attempts: 3 }) },
  { name: 'seed-1', entry: entry('running', { lease: { by: location.mark, heartbeat: 0, snapshots: '', location } }) },
  { name: 'seed-2', entry: entry('failed', { reason: 'no such data\nat line 3' }) },
  { name: 'seed-3', entry: entry('waiting', { attempts: 0 }) },
];

test('running jobs come first, those that do not fit are counted, and the reason of a failure is given', () => {
  const entries = rows.map((row) => row.entry);
  expect(summary('sweep x', entries)).toBe('sweep x: 1 of 4 done · 1 running · 1 failed · 1 waiting');
  expect(sweepTable(rows, { color: false })).toEqual([
    'state    job     network  phase  epoch  update  left  attempts  where',
    'running  seed-1  –        –      –      –       –     1         7 on here',
    'failed   seed-2  –        –      –      –       –     1         –',
    'waiting  seed-3  –        –      –      –       –     0         –',
    'done     seed-0  –        –      –      –       –     3         –',
  ]);
  expect(sweepTable(rows, { color: false, most: 2, width: 15 })).toEqual(
    ['state    job   …', 'running  seed-…', '… and 3 more'].map((line) => line.replace('job   …', 'job  …')),
  );
  expect(reasons(rows).join()).toContain('seed-2: no such data');
});

test('on a terminal the table is redrawn in place; elsewhere each change is a line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-live-'));
  const jobs = rows.map(({ name }) => ({
    name,
    path: name,
    module: '',
    pipeline: '',
    setting: '',
    seed: 0,
    config: {},
    after: [],
  }));
  const entries = new Map(rows.map(({ name, entry }) => [name, entry]));
  const show = async (isTTY: boolean): Promise<string> => {
    let said = '';
    const screen = { isTTY, columns: 60, rows: 5, write: (text: string) => (said += text) };
    const live = new LiveSweep('sweep x', folder, jobs, screen);
    for (let i = 0; i < 2; i++) {
      live.watch(entries);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    live.note('a note');
    await live.close();
    return said;
  };
  try {
    expect(await show(false)).toBe(`${summary('sweep x', entries.values())}\na note\n`);
    const drawn = await show(true);
    expect(drawn).toContain('\x1b[4A\r'); // over the first one, that had four lines of the five
    expect(drawn).toContain('… and 3 more');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a grid is typed by its pipeline, and checked before anything is trained', async () => {
  const module = 'test/sweep/small.ts';
  await expect(sweep<typeof small>({ module, grid: { rate: [] } })).rejects.toThrow(
    "the axis 'rate' of the grid is empty",
  );
  // @ts-expect-error: there is no such key
  await expect(sweep<typeof small>({ module, grid: { rat: [1] } })).rejects.toThrow("there is no key 'rat'");
  // @ts-expect-error: a rate is a number
  await expect(sweep<typeof small>({ module, list: [{ rate: 'fast' }] })).rejects.toThrow(
    'list rate: "fast": Invalid input: expected number',
  );
  await expect(
    sweep<typeof small>({ module, grid: { kinds: [['a', 'b'], ['b']], seed: [0, -1], fails: [true] } }),
  ).rejects.toThrow('seed=-1: a seed is a whole number');
});
