import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { weightsOf } from '../../src/run/weights.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { readNetworkState } from '../../src/storage/run-state.js';
import { call, type Ended, hashOf, start, untapped } from '../cli/weir.js';

const base = mkdtempSync(join(tmpdir(), 'weir-optimizers-'));
const whole = join(base, 'whole');
let ended: Ended;
beforeAll(async () => {
  ended = await call('run', 'test/run/optimizers.ts', '--run', whole);
});
afterAll(() => rmSync(base, { recursive: true }));

test('a run by every optimizer, and with an adversary, killed in several of its networks and resumed, ends in the same bits', async () => {
  expect(ended).toMatchObject({ status: 0 });
  const killed = join(base, 'killed');
  for (const network of ['adam-branch', 'lars', 'adversarial']) {
    const begun = network !== 'adam-branch';
    const args = begun ? ['resume', killed] : ['run', 'test/run/optimizers.ts', '--run', killed];
    const { child, said, ended } = start(...untapped(args));
    await said(`optimizers: ${network} (`);
    child.kill('SIGKILL');
    expect(await ended).toMatchObject({ status: 'SIGKILL' });
  }
  expect(await call('resume', killed)).toMatchObject({ status: 0 });
  expect(await hashOf(killed)).toBe(await hashOf(whole));
});

test('forked within a window of accumulation and between two, it ends in the same bits', async () => {
  for (const at of [4, 17]) {
    const fork = join(base, `fork-${at}`);
    expect(await call('fork', whole, '--at', String(at), '--run', fork)).toMatchObject({ status: 0 });
    expect([at, await hashOf(fork)]).toEqual([at, await hashOf(whole)]);
  }
});

test.each(['nesterov', 'adam', 'lars', 'muon', 'adversarial'])(
  'a branch begins with a copy of the state of %s',
  (name) => {
    const folder = RunFolder.open(whole);
    const bits = (network: string) => weightsOf(readNetworkState(folder.snapshots(network))!.state);
    expect(bits(`${name}-branch`)).toEqual(bits(name));
  },
);
