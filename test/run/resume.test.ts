import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { begin, call, hashOf, start, statusOf, untapped } from '../cli/weir.js';

const settings = [
  'regularizers=none,rep-spectral',
  'seeds=1',
  'epochs=1800',
  'burnIn=900',
  'logEvery=50',
  'iterations=6',
];
const often = ['--snapshot-every', '0.02'];
const args = (folder: string) => [
  ...['run', 'pipelines/xor.ts', '--run', folder, ...often],
  ...settings.flatMap((setting) => ['--set', setting]),
];

let base: string;
let whole: string;
let active: number; // milliseconds from the start of the training to the end

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'weir-resume-'));
  const folder = join(base, 'whole');
  const { ended, said } = begin(...args(folder));
  await said('training');
  const begun = performance.now();
  const { status, out, err } = await ended;
  active = performance.now() - begun;
  expect(err).not.toContain('weir:');
  expect(status).toBe(0);
  expect(out.trimEnd().split('\n').at(-1)).toContain('whole');
  expect(existsSync(join(folder, 'report/report.html'))).toBe(true);
  whole = await hashOf(folder);
  expect((await call('hash', '--all', folder)).out).toBe(`${whole}\n`);
});
afterAll(() => rmSync(base, { recursive: true }));

test('a run that is killed at random instants and resumed ends in the same bits: weights, spectra, attack and metric log', async () => {
  const folder = join(base, 'killed');
  for (let kills = 0; ; kills++) {
    const going = existsSync(join(folder, 'config.json'));
    const { child, ended, said } = start(...untapped(going ? ['resume', folder, ...often] : args(folder)));
    if (kills < 3) {
      await Promise.race([said('training'), ended]); // a run that is resumed after its training does not print it
      setTimeout(() => child.kill('SIGKILL'), (0.05 + 0.3 * Math.random()) * active);
    }
    const { status, err } = await ended;
    expect([kills, status, err]).toEqual([kills, kills < 3 && status !== 0 ? 'SIGKILL' : 0, err]);
    if (status === 0) break;
  }
  expect(await hashOf(folder)).toBe(whole);
});

const logged = (folder: string, stream: string): number => {
  const file = join(folder, 'metrics.ndjson');
  return existsSync(file) ? readFileSync(file, 'utf8').split(`"stream":"${stream}"`).length - 1 : 0;
};

test('SIGTERM stops a run after a snapshot with status 75, and it can be resumed; its status says so', async () => {
  const folder = join(base, 'stopped');
  const { child, ended, over } = begin(...args(folder));
  while (!over() && logged(folder, 'updates') < 3) await new Promise((next) => setTimeout(next, 2)); // its state is no longer that of the start
  child.kill('SIGTERM');
  const { status, out } = await ended;
  expect(status).toBe(75);
  expect(out).toContain(`weir resume ${folder}`);
  expect(await statusOf(folder)).toMatchObject({ state: 'stopped', process: null, snapshotAge: expect.any(Number) });
  cpSync(folder, join(base, 'edited'), { recursive: true });
  expect((await call('resume', folder, '--snapshot-updates', '500')).status).toBe(0);
  expect(await hashOf(folder)).toBe(whole);
  expect(await statusOf(folder)).toMatchObject({
    state: 'done',
    epoch: 1800,
    update: 1800,
    network: { index: 1, of: 1 },
  });
});

test('an edited config is refused by its key; where it is accepted, a snapshot of another model is refused', async () => {
  const folder = join(base, 'edited'); // of the run that was stopped
  const file = join(folder, 'config.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"hidden": 8', '"hidden": 9'));
  const edited = await call('resume', folder);
  expect(edited.status).toBe(1);
  expect(edited.err).toContain("the config's 'hidden' was 8 and is 9");
  const { status, err } = await call('resume', folder, '--accept-changes');
  expect(status).toBe(1);
  expect(err).toContain("'members' is [2, 42] there and [2, 47] here");
});

test('SIGUSR1 inside an attack writes a snapshot between two of its results; the resume adds the rest of them', async () => {
  const folder = join(base, 'stopped-in-attack');
  const { child, ended, over } = begin(...args(folder));
  while (!over() && logged(folder, 'attacks') === 0) await new Promise((next) => setTimeout(next, 2));
  child.kill('SIGUSR1');
  expect(await ended).toMatchObject({
    status: 75,
    err: expect.stringMatching(/Tangent Attack · [1-9]\d*\/\d+ samples/),
  });
  expect(logged(folder, 'attacks')).toBeLessThan(logged(join(base, 'whole'), 'attacks'));
  expect(await statusOf(folder)).toMatchObject({ state: 'stopped', phase: 'measuring', epoch: 1800 });
  expect((await call('resume', folder)).status).toBe(0);
  expect(await hashOf(folder)).toBe(whole);
});

test('snapshots are written by epochs and the newest two kept, besides the last of the network', async () => {
  const folder = join(base, 'by-epochs');
  const rarely = ['--snapshot-every', '3600', '--snapshot-epochs', '300', '--snapshot-keep', '2'];
  expect((await call(...args(folder).filter((arg) => !often.includes(arg)), ...rarely)).status).toBe(0);
  const names = readdirSync(join(folder, 'snapshots/xor')).sort();
  expect(names).toEqual(['000005-1500.snapshot', '000006-1800.snapshot', '000007-done.snapshot']);
  expect(await hashOf(folder)).toBe(whole);
});

test('a run that stops without its snapshot says so, and resumes from the one before', async () => {
  const folder = join(base, 'unsaved');
  const { child, ended, over, said } = begin(...args(folder), '--on-snapshot-error', 'warn');
  const [snapshots, aside] = [join(folder, 'snapshots/xor'), join(folder, 'aside')];
  while (!over() && !(existsSync(snapshots) && readdirSync(snapshots).some(isWhole))) {
    await new Promise((next) => setTimeout(next, 2));
  }
  renameSync(snapshots, aside);
  writeFileSync(snapshots, ''); // takes the place of the folder
  await said('going on without');
  child.kill('SIGTERM');
  const { status, err } = await ended;
  expect([status, err]).toEqual([
    75,
    expect.stringMatching(/the last snapshot is missing \(.*ENOTDIR.*\): a resume goes on from/),
  ]);
  rmSync(snapshots);
  renameSync(aside, snapshots);
  expect((await call('resume', folder)).status).toBe(0);
  expect(await hashOf(folder)).toBe(whole);
});

const isWhole = (name: string): boolean => name.endsWith('.snapshot');

test('a run folder belongs to one process', async () => {
  const folder = join(base, 'shared');
  const first = start(...untapped(args(folder)), '--set', 'epochs=1000000'); // longer than this test
  await first.said('training');
  const second = await call('resume', folder);
  expect(second.status).toBe(1);
  expect(second.err).toContain(`${first.child.pid}`);
  expect(await statusOf(folder)).toMatchObject({ state: 'running', process: { pid: first.child.pid } });
  first.child.kill('SIGKILL');
  await first.ended;
  expect(await statusOf(folder)).toMatchObject({ state: 'killed', process: { pid: first.child.pid } });
});

test('SIGUSR1, and a second one, stop a run; its newest snapshot, altered, is named, and the one before is used', async () => {
  const folder = join(base, 'altered');
  const { child, ended, over } = begin(...args(folder));
  const snapshots = join(folder, 'snapshots/xor');
  const several = () => existsSync(snapshots) && readdirSync(snapshots).filter(isWhole).length > 1;
  while (!over() && !several()) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGUSR1');
  child.kill('SIGUSR1'); // changes nothing
  expect((await ended).status).toBe(75);
  const newest = join(snapshots, readdirSync(snapshots).filter(isWhole).sort().at(-1)!);
  const bytes = readFileSync(newest);
  bytes[bytes.length - 100]! ^= 4;
  writeFileSync(newest, bytes);
  const resumed = await call('resume', folder);
  expect(resumed.err).toContain(newest);
  expect(resumed.status).toBe(0);
  expect(await hashOf(folder)).toBe(whole);
});

test('a resume without any run fails', async () => {
  const nothing = await call('resume', join(base, 'nothing'));
  expect(nothing.status).toBe(1);
  expect(nothing.err).toContain('there is no run in');
});

const full = process.getuid?.() === 0 && process.platform === 'linux';

test.skipIf(!full)('a full disk stops the run with an error; it resumes once there is room (needs root)', async () => {
  const disk = join(base, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
  try {
    const folder = join(disk, 'run');
    const first = begin(...args(folder));
    await first.said('training');
    const filler = join(disk, 'filler');
    try {
      for (;;) appendFileSync(filler, Buffer.alloc(16 * 1024));
    } catch {
      // full
    }
    const { status, err } = await first.ended;
    expect(status).toBe(1);
    expect(err).toContain('the disk is full');
    expect(err).toContain('the earlier snapshots are as they were');
    rmSync(filler);
    expect(await statusOf(folder)).toMatchObject({ state: expect.stringMatching(/^(failed|stopped)$/) }); // the note of the failure may not fit on the disk
    expect((await call('resume', folder)).status).toBe(0);
    expect(await hashOf(folder)).toBe(whole);
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
});

test.skipIf(!full)(
  'with --on-snapshot-error warn a run goes on while the disk is full, and saves again once there is room (needs root)',
  async () => {
    const disk = join(base, 'full-for-a-while');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
    try {
      const folder = join(disk, 'run');
      const { ended, said } = begin(...args(folder), '--on-snapshot-error', 'warn');
      await said('training');
      const filler = join(disk, 'filler');
      try {
        for (;;) appendFileSync(filler, Buffer.alloc(16 * 1024));
      } catch {
        // full
      }
      await Promise.race([said('going on without'), ended]);
      rmSync(filler);
      const { status, err } = await ended;
      expect([status, err]).toEqual([0, expect.stringMatching(/ENOSPC.*; going on without/)]);
      expect(await hashOf(folder)).toBe(whole);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  },
);
