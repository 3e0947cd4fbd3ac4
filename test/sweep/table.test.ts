import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ProcessId, thisProcess } from '../../src/storage/process-id.js';
import type { JobEntry } from '../../src/sweep/ledger.js';
import { LiveSweep, reasons, rowsOf, stoppedNote, summary, sweepTable } from '../../src/sweep/table.js';
import { sweep } from '../../src/sweep.js';
import type small from './small.js';

const entry = (state: JobEntry['state'], more: Partial<JobEntry> = {}): JobEntry => ({
  state,
  attempts: 1,
  barren: 0,
  changed: 0,
  ...more,
});
const running = (by: ProcessId, mark = by): JobEntry =>
  entry('running', { lease: { by, heartbeat: 0, snapshots: '', location: { kind: 'process', mark } } });
const elsewhere = { pid: 7, host: 'there' };
const rows = [
  { name: 'seed-0', entry: entry('done', { attempts: 3 }) },
  { name: 'seed-1', entry: running(elsewhere) },
  { name: 'seed-2', entry: entry('failed', { reason: 'no such data\nat line 3' }) },
  { name: 'seed-3', entry: entry('waiting', { attempts: 0 }) },
].map((row) => ({ ...row, state: row.entry.state }));
const jobNamed = (name: string) => ({
  name,
  path: name,
  module: '',
  pipeline: '',
  setting: '',
  seed: 0,
  config: {},
  after: [],
});

test('running jobs come first, those that do not fit are counted, and the reason of a failure is given', () => {
  const entries = rows.map((row) => row.entry);
  expect(summary('sweep x', entries)).toBe('sweep x: 1 of 4 done · 1 running · 1 failed · 1 waiting');
  expect(sweepTable(rows, { color: false, now: 65_000 })).toEqual([
    'state    job     network  phase  epoch  update  left  attempts  where',
    'running  seed-1  –        –      –      –       –     1         7 on there, last heartbeat 1 min 05 s ago',
    'failed   seed-2  –        –      –      –       –     1         –',
    'waiting  seed-3  –        –      –      –       –     0         –',
    'done     seed-0  –        –      –      –       –     3         –',
  ]);
  expect(sweepTable(rows, { color: false, most: 2, width: 15 })).toEqual(
    ['state    job   …', 'running  seed-…', '… and 3 more'].map((line) => line.replace('job   …', 'job  …')),
  );
  expect(reasons(rows).join()).toContain('seed-2: no such data');
});

test('a job whose process and sweep are gone is stopped; one of which nothing can be known runs, as of its last heartbeat', async () => {
  const dead = { ...thisProcess(), started: 'before' };
  const entries = new Map([
    ['seed-0', running(dead)],
    ['seed-1', running(dead, thisProcess())],
    ['seed-2', running(thisProcess(), dead)],
    ['seed-3', running(elsewhere)],
    ['seed-4', entry('running', { lease: { by: dead, heartbeat: 0, snapshots: '' } })],
    [
      'seed-5',
      entry('running', {
        lease: { ...running(dead).lease!, location: { kind: 'slurm', batch: 'b', index: 1, id: '9_1' } },
      }),
    ],
  ]);
  const found = await rowsOf('none', [...entries.keys()].map(jobNamed), entries);
  expect(found.map(({ state }) => state)).toEqual(['stopped', 'running', 'running', 'running', 'stopped', 'running']);
  expect(summary('sweep x', found)).toBe('sweep x: 0 of 6 done · 4 running · 2 stopped');
  const places = sweepTable(found, { color: false, now: 2000 }).map((line) => line.split(/ {2,}/).at(-1));
  const here = `${process.pid} on ${hostname()}`;
  const silent = 'last heartbeat 2 s ago';
  expect(places.slice(1)).toEqual([
    `${here}, ${silent}`,
    here,
    `7 on there, ${silent}`,
    `Slurm 9_1, ${silent}`,
    '–',
    '–',
  ]);
  expect(stoppedNote('runs/x', found)).toEqual([
    'the processes of 2 jobs and of the sweep that ran them are gone; go on with: weir sweep runs/x',
  ]);
  expect(stoppedNote('runs/x', found.slice(1, 4))).toEqual([]);
});

test('on a terminal the table is redrawn in place; elsewhere each change is a line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-live-'));
  const jobs = rows.map(({ name }) => jobNamed(name));
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
