import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../src/ranks/process.js';
import { hasNative } from '../../src/tensorflow/ops/eager.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { call, hashOf, start, weir } from '../cli/weir.js';
import { ranksOf, small, withKills } from './kills.js';

const base = mkdtempSync(join(tmpdir(), 'weir-ranks-'));
const folder = (name: string): string => join(base, name);
const lines = (name: string): Record<string, unknown>[] =>
  readFileSync(join(folder(name), 'metrics.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => ({ ...JSON.parse(line), wall: undefined }));
let native = false;
let whole = '';
let seconds = 0;

beforeAll(async () => {
  await loadTensorFlow();
  native = hasNative();
  if (!native) return;
  const begun = performance.now();
  const { status, err } = await weir(...small(folder('whole')));
  expect(status, err).toBe(0);
  seconds = (performance.now() - begun) / 1000;
  whole = await hashOf(folder('whole'));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('a run of two ranks', () => {
  test('ends in the same bits where ranks are killed at random instants', async ({ skip }) => {
    if (!native) skip('collectives need the native runtime');
    const { hash, said } = await withKills(folder('killed'), 2, seconds);
    expect(hash).toBe(whole);
    for (const line of said)
      expect(line).toMatch(/weir: rank [01] on \S+ was ended by SIGKILL: all ranks were stopped/);
    expect(lines('killed')).toEqual(lines('whole'));
  });

  test('stops as a whole where each rank is told to, and goes on, with another number of ranks too', async ({
    skip,
  }) => {
    if (!native) skip('collectives need the native runtime');
    const run = start(...small(folder('stopped')));
    await run.said('epoch');
    const ranks = ranksOf(run.child.pid!);
    for (const rank of ranks) process.kill(rank, 'SIGTERM'); // as Slurm does, to all processes of a step
    run.child.kill('SIGTERM');
    const { status, err } = await run.ended;
    expect(status, err).toBe(75);
    cpSync(folder('stopped'), folder('fewer'), { recursive: true });
    expect((await weir('resume', folder('stopped'))).status).toBe(0);
    expect(await hashOf(folder('stopped'))).toBe(whole);

    expect((await call('resume', folder('fewer'), '--ranks', '1')).status).toBe(0);
    const [fewer, reference] = ['fewer', 'whole'].map((name) =>
      lines(name).filter(({ stream }) => stream === 'updates'),
    );
    expect(fewer!.map(({ position }) => position)).toEqual(reference!.map(({ position }) => position)); // the same batches
    for (const [i, { loss }] of fewer!.entries()) {
      if (typeof loss === 'number') expect(loss).toBeCloseTo(reference![i]!.loss as number, 3);
    }
  });

  test('ends where a rank is stopped by a signal, and names that rank', async ({ skip }) => {
    if (!native) skip('collectives need the native runtime');
    const run = start(...small(folder('hung'), '--ranks-patience', '5'));
    await run.said('update 0');
    const [rank] = ranksOf(run.child.pid!).slice(-1);
    process.kill(rank!, 'SIGSTOP');
    const { status, err } = await run.ended;
    expect(status, err).toBe(75);
    expect(err).toMatch(/rank [01] on \S+ has been stopped for \d+ seconds: all ranks were stopped/);
  });
});

/** Starts `weir run` as one rank of two that join at a port. */
function member(rank: number, port: number, module: string, name: string, ...more: readonly string[]) {
  const env = { WEIR_RANK: String(rank), WEIR_RANKS: '2', WEIR_RENDEZVOUS: `127.0.0.1:${port}`, WEIR_THREADS: '1' };
  const [, , , ...rest] = small(folder(name));
  const args = rest.filter((arg, i) => arg !== '--ranks' && rest[i - 1] !== '--ranks');
  return start(env, 'run', module, '--run', ...args, ...more);
}

describe('ranks that are started one by one', () => {
  test('are refused where they were started with different values', async ({ skip }) => {
    if (!native) skip('collectives need the native runtime');
    const [port] = await freePorts(1);
    const both = [
      member(0, port!, 'pipelines/mnist.ts', 'odd'),
      member(1, port!, 'pipelines/mnist.ts', 'odd', '--set', 'gamma=0.5'),
    ];
    const [zero, one] = await Promise.all(both.map(({ ended }) => ended));
    expect([zero!.status, one!.status]).toEqual([1, 1]);
    expect(zero!.err).toMatch(/rank 1 on \S+ has gamma = 0.5, and rank 0 on \S+ has 0.\d+/);
  });

  test('are refused where their data differ; a rank that cannot read its data ends all, and says why', async ({
    skip,
  }) => {
    if (!native) skip('collectives need the native runtime');
    const different = (how: string) => {
      const run = ['run', 'test/ranks/different-data.ts', '--ranks', '2', '--run', folder(how), '--set', `how=${how}`];
      return weir(...run);
    };
    const [data, unread] = [await different('data'), await different('unread')];
    expect([data.status, unread.status]).toEqual([1, 1]);
    expect(data.err).toMatch(/rank 1 on \S+ has the data of 'loader': samples = 65, and rank 0/);
    expect(unread.err).toMatch(/rank 1: weir: sample 7 of the disk of rank 1 is gone/);
    expect(unread.err).toMatch(/weir: rank 1 on \S+ failed \(its error is above\): all ranks were stopped/);
  });
});
