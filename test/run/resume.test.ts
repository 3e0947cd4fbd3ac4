import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { start, weir } from './weir.js';

const settings = [
  'regularisers=none,rep-spectral',
  'epochs=160',
  'burnIn=80',
  'logEvery=10',
  'iterations=6',
  'noisy=true',
];
const often = ['--snapshot-every', '0.02'];
const args = (folder: string) => [
  ...['run', 'pipelines/xor.ts', '--run', folder, ...often],
  ...settings.flatMap((setting) => ['--set', setting]),
];

let base: string;
let whole: string;
let seconds: number;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'weir-resume-'));
  const folder = join(base, 'whole');
  const begun = performance.now();
  const { status, out, err } = await weir(...args(folder));
  seconds = (performance.now() - begun) / 1000;
  expect(err).not.toContain('weir:');
  expect(status).toBe(0);
  expect(out.trimEnd().split('\n').at(-1)).toContain('whole');
  expect(existsSync(join(folder, 'report/report.html'))).toBe(true);
  whole = (await weir('hash', '--all', folder)).out;
  expect(whole).toMatch(/^[0-9a-f]{64}\n$/);
}, 120_000);
afterAll(() => rmSync(base, { recursive: true }));

test('killed at random instants and resumed, a run ends in the same bits: weights, spectra, attack and metric log', async () => {
  const folder = join(base, 'killed');
  let kills = 0;
  for (;;) {
    const going = existsSync(join(folder, 'config.json'));
    const { child, ended } = going ? start('resume', folder, ...often) : start(...args(folder));
    const patience = 1000 * (0.2 + 0.9 * Math.random()) * seconds;
    const timer = kills < 6 ? setTimeout(() => child.kill('SIGKILL'), patience) : undefined;
    const { status, err } = await ended;
    clearTimeout(timer);
    if (status === 0) break;
    expect([status, err]).toEqual(['SIGKILL', err]);
    kills++;
  }
  expect(kills).toBeGreaterThan(0);
  expect((await weir('hash', '--all', folder)).out).toBe(whole);
}, 240_000);

test('SIGTERM stops after a snapshot with status 75, and the run can be gone on with', async () => {
  const folder = join(base, 'stopped');
  const { child, ended, said } = start(...args(folder));
  await said('training');
  child.kill('SIGTERM');
  const { status, out } = await ended;
  expect(status).toBe(75);
  expect(out).toContain(`weir resume ${folder}`);
  const resumed = await weir('resume', folder);
  expect(resumed.status).toBe(0);
  expect((await weir('hash', '--all', folder)).out).toBe(whole);
}, 120_000);

test('a run folder belongs to one process', async () => {
  const folder = join(base, 'shared');
  const first = start(...args(folder));
  await first.said('training');
  const second = await weir('resume', folder);
  expect(second.status).toBe(1);
  expect(second.err).toContain(`${first.child.pid}`);
  first.child.kill('SIGKILL');
  await first.ended;
}, 60_000);

test('an altered snapshot is named and the one before it used; of none at all a resume says so', async () => {
  const folder = join(base, 'altered');
  const first = start(...args(folder));
  const snapshots = join(folder, 'snapshots/none');
  await first.said('training');
  while (!existsSync(snapshots) || readdirSync(snapshots).filter((name) => name.endsWith('.snapshot')).length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  first.child.kill('SIGKILL');
  await first.ended;
  const newest = join(
    snapshots,
    readdirSync(snapshots)
      .filter((name) => name.endsWith('.snapshot'))
      .sort()
      .at(-1)!,
  );
  const bytes = readFileSync(newest);
  bytes[bytes.length - 100]! ^= 4;
  writeFileSync(newest, bytes);
  const resumed = await weir('resume', folder);
  expect(resumed.err).toContain(newest);
  expect(resumed.status).toBe(0);
  expect((await weir('hash', '--all', folder)).out).toBe(whole);

  const nothing = await weir('resume', join(base, 'nothing'));
  expect(nothing.status).toBe(1);
  expect(nothing.err).toContain('there is no run in');
}, 120_000);
