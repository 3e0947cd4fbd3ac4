import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eachRegularizer } from '../../src/run/networks.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { trainedState } from '../../src/storage/run-state.js';
import { begin, call } from '../cli/weir.js';

const small = ['profile=quick', 'hidden=16', 'epochs=4', 'burnIn=2', 'attacked=2', 'iterations=2'].flatMap(
  (setting) => ['--set', setting],
);

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'weir-reproduce-'));
});
afterAll(() => rmSync(base, { recursive: true }));

const weightsOf = (run: string, network: string): unknown =>
  (trainedState(RunFolder.open(run), network).flow.nodes.train!.state as { weights: unknown }).weights;

test('a stopped experiment goes on; a network that branched off has the bits of one trained alone', async () => {
  const experiment = join(base, 'experiment');
  const args = ['reproduce', 'mnist', ...small, '--set', 'regularizers=none,rep-spectral', '--run', experiment];
  const { child, ended, said } = begin(...args);
  await said('training');
  child.kill('SIGTERM');
  const stopped = await ended;
  expect([stopped.status, stopped.out.split('\n')[0]]).toEqual([75, 'stopped; the same command goes on']);

  const alone = join(base, 'alone');
  const [again, single] = await Promise.all([
    call(...args),
    call('run', 'pipelines/mnist.ts', ...small, '--set', 'regularizers=rep-spectral', '--run', alone),
  ]);
  expect([again.status, single.status]).toEqual([0, 0]);
  expect(existsSync(join(experiment, 'report/report.html'))).toBe(true);
  expect(weightsOf(join(experiment, 'mnist'), 'rep-spectral')).toEqual(weightsOf(alone, 'rep-spectral'));

  const other = await call(...args, '--set', 'epochs=5');
  expect([other.status, other.err]).toEqual([
    1,
    expect.stringContaining('was begun with epochs=4, and this asks for epochs=5'),
  ]);
});

test('an unknown setting or experiment is reported with the known ones', async () => {
  const [setting, experiment] = await Promise.all([
    call('reproduce', 'mnist', '--only', 'clean', '--run', join(base, 'none')),
    call('reproduce', 'minst', '--run', join(base, 'none')),
  ]);
  expect(setting.err).toContain("there is no setting 'clean'");
  expect(experiment.err).toContain('minst.ts');
  expect(existsSync(join(base, 'none'))).toBe(false);
});

test('networks branch off the unregularized network of their seed, where the burn-in ends before the training does', () => {
  const grid = { regularizers: ['rep-spectral', 'none'] as const, seeds: 2, seed: 7, burnIn: 3, epochs: 4 };
  expect(eachRegularizer(grid).map(({ name, branch }) => [name, branch?.of])).toEqual([
    ['none-s7', undefined],
    ['rep-spectral-s7', 'none-s7'],
    ['none-s8', undefined],
    ['rep-spectral-s8', 'none-s8'],
  ]);
  expect(() => eachRegularizer({ ...grid, regularizers: ['none', 'none'] })).toThrow("regularizers lists 'none' twice");
  expect(eachRegularizer({ ...grid, seeds: 1, epochs: 3 }).map(({ name, branch }) => [name, branch])).toEqual([
    ['rep-spectral', undefined],
    ['none', undefined],
  ]);
});
