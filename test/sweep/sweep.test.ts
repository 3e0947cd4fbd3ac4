import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderOfJob, readPlan } from '../../src/sweep/plan.js';
import { call, start, weir } from '../cli/weir.js';
import { hashOf, killedSweep, loggedOnce } from './kills.js';

const module = 'test/sweep/small.ts';
let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'weir-sweep-'));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

test('where sweep and jobs are killed at random, each job runs once, in its first folder, to the same bits', async () => {
  const folder = join(base, 'killed');
  const often = ['--snapshot-every', '0.1', '--jobs', '2'];
  const args = ['sweep', module, '--grid', 'rate=0.1,0.3', '--grid', 'seed=0,1', '--run', folder, ...often];
  const { status, out, kills, overwritten } = await killedSweep(args, folder, 4);
  expect([status, out]).toEqual([0, expect.stringContaining('4 of 4 done')]);
  expect(overwritten).toEqual([]);
  expect(Math.min(kills.sweeps, kills.jobs)).toBeGreaterThanOrEqual(1); // on a slow machine the sweep may end before more
  const runs = readPlan(folder)!.jobs.map((job) => folderOfJob(folder, job));
  expect(runs.filter((run) => !loggedOnce(run))).toEqual([]);

  const alone = join(base, 'alone');
  await call('run', module, '--set', 'rate=0.3', '--seed', '1', '--run', alone);
  expect(hashOf(join(folder, 'jobs/rate-0.3-seed-1'))).toBe(hashOf(alone));
});

const quick = ['--set', 'epochs=20', '--set', 'pause=0', '--jobs', '2'];

test('a failed job leaves the others alone, is reported, and is tried again with --retry', async () => {
  const folder = join(base, 'failing');
  const args = ['sweep', module, '--grid', 'fails=true,false', ...quick, '--run', folder];
  const first = await call(...args);
  expect([first.status, first.out]).toEqual([
    1,
    expect.stringMatching(/1 of 2 done · 1 failed\nfailed fails-true: .*this job was told to fail/),
  ]);
  const again = await call('sweep', folder, '--retry');
  expect([again.status, again.out]).toEqual([1, expect.stringContaining('1 of 2 done · 1 failed')]);
  const status = await call('status', folder);
  expect(status.out).toMatch(/failed +fails-true .* 2 +–/);
  const ofModule = await call(...args, '--status');
  expect(ofModule.out).toBe(status.out);
});

test('the jobs of a stopped sweep stop at a snapshot; two processes finish them together, without a cancelled job', async () => {
  const folder = join(base, 'stopped');
  const long = ['--set', 'epochs=300', '--jobs', '1', '--run', folder];
  const { child, ended, said } = start('sweep', module, '--grid', 'seed=0..2', ...long);
  await said('1 running');
  const cancelled = await call('sweep', folder, '--cancel', 'seed-2');
  expect(cancelled.out).toContain('cancelled seed-2: by weir sweep --cancel');
  child.kill('SIGTERM');
  const stopped = await ended;
  expect([stopped.status, stopped.out]).toEqual([75, expect.stringContaining(`go on with: weir sweep ${folder}`)]);

  const both = await Promise.all([call('sweep', folder, '--jobs', '1'), weir('sweep', folder, '--jobs', '1')]);
  expect(both.map(({ status, out }) => [status, out.split('\n')[0]])).toEqual([
    [1, 'sweep: 2 of 3 done · 1 cancelled'],
    [1, 'sweep: 2 of 3 done · 1 cancelled'],
  ]);
});
