import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordsOf } from '../../src/run/run-log.js';
import { takeOver } from '../../src/run/trained-network.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { call } from '../cli/weir.js';

const base = mkdtempSync(join(tmpdir(), 'weir-again-'));
const run = join(base, 'run');
const count = (path: string, stream: string): number =>
  [...recordsOf(RunFolder.open(path))].filter((one) => one.stream === stream).length;

beforeAll(async () => {
  expect((await call('run', 'test/run/attacked-again.ts', '--run', run)).err).not.toContain('weir:');
  expect(['attacks', 'bounds', 'hopSkipJump'].map((one) => count(run, one))).toEqual([2, 2, 2]);
}, 300_000);
afterAll(() => rmSync(base, { recursive: true }));

test('attacks that the settings take away are dropped, which is said; the others are made again, and new ones made', async () => {
  const again = join(base, 'again');
  const set = ['--set', 'whitebox=0', '--set', 'blackbox=cgba', '--set', 'attacked=3'];
  const { status, err } = await call('attack', run, '--run', again, ...set);
  expect(status).toBe(0);
  expect(err).toContain('bounds$ is left out: these settings have no such attack');
  expect(err).toContain('hopSkipJump$ is left out');
  const all = ['attacks', 'cgba', 'bounds', 'hopSkipJump'];
  expect(all.map((one) => count(again, one))).toEqual([3, 3, 0, 0]);
  expect(Object.keys(RunFolder.open(again).streams)).not.toContain('bounds');
}, 300_000);

test('APGD is added at the ε of a key, on as many samples as the attack that has most', async () => {
  const again = join(base, 'checked');
  const { status, err } = await call('attack', run, '--run', again, '--set', 'whitebox=3', '--set', 'apgd=0.5');
  expect(err).not.toContain('weir:');
  expect(status).toBe(0);
  expect(['attacks', 'bounds', 'apgd'].map((one) => count(again, one))).toEqual([2, 3, 3]);
  const [first] = [...recordsOf(RunFolder.open(again))].filter(({ stream }) => stream === 'apgd');
  expect(first).toMatchObject({ epsilon: 0.5 });
  const without = join(base, 'unchecked');
  expect((await call('attack', again, '--run', without, '--set', 'apgd=0')).err).toContain('apgd$ is left out');
  expect(count(without, 'apgd')).toBe(0);
}, 300_000);

test('an attack whose graph does not take the state of the run leaves no folder behind', async () => {
  const again = join(base, 'failed');
  const { status, err } = await call('attack', run, '--run', again, '--set', 'norms=true');
  expect(status).toBe(1);
  expect(err).toContain("these settings change the graph of network 'attacked-again'");
  expect(existsSync(again)).toBe(false);
}, 300_000);

test('weights that cannot be taken over leave no folder, and files that were in it before as they were', () => {
  const source = RunFolder.open(run);
  const half = (path: string) => () =>
    takeOver(source, path, source.started.config, ['attacks'], {
      ...{ module: source.started.module, accepted: [], taken: { snapshot: 'at-999' } },
    });
  const fresh = join(base, 'fresh');
  expect(half(fresh)).toThrow('at-999');
  expect(existsSync(fresh)).toBe(false);
  const used = join(base, 'used');
  mkdirSync(used);
  writeFileSync(join(used, 'notes.txt'), 'mine');
  expect(half(used)).toThrow('at-999');
  expect(existsSync(join(used, 'notes.txt'))).toBe(true);
});

test('an attack that fails before its first result leaves no folder, so that the same command may be given again', async () => {
  const again = join(base, 'broken');
  const set = ['--run', again, '--set', 'blackbox=[]', '--set', 'whitebox=0'];
  const first = await call('attack', run, ...set, '--set', 'failAt=1');
  expect(first.status).toBe(1);
  expect(first.err).toContain('result 1 fails');
  expect(existsSync(again)).toBe(false);
  expect((await call('attack', run, ...set)).status).toBe(0);
}, 300_000);

test('an attack that fails after results keeps them, and says how it goes on; what else is in its folder is no business of it', async () => {
  const again = join(base, 'half');
  mkdirSync(again);
  writeFileSync(join(again, 'notes.txt'), 'mine');
  const set = ['--run', again, '--set', 'blackbox=[]', '--set', 'whitebox=0'];
  const kept = await call('attack', run, ...set, '--set', 'failAt=1');
  expect(kept.err).toContain(`failed; go on with: weir resume ${again}`);
  expect(existsSync(join(again, 'notes.txt'))).toBe(true);
  const other = join(base, 'other');
  const { status, err } = await call('attack', run, '--run', other, '--set', 'failAt=2', '--set', 'attacked=3');
  expect(status).toBe(1);
  expect(err).toContain('result 2 fails');
  expect(err).toContain(`failed; go on with: weir resume ${other}`);
  expect((await call('resume', other)).err).toContain('result 2 fails');
}, 300_000);
