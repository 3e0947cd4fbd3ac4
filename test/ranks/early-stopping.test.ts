import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordsOf } from '../../src/run/run-log.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { hasNative } from '../../src/tensorflow/ops/eager.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { call, hashOf, start, untapped, weir } from '../cli/weir.js';
import { ranksOf } from './kills.js';

const base = mkdtempSync(join(tmpdir(), 'weir-early-stopping-'));
const folder = (name: string): string => join(base, name);
const set = (...settings: string[]): string[] => settings.flatMap((setting) => ['--set', setting]);
const stoppedEarly = (name: string, ...settings: string[]): string[] => [
  ...['run', 'test/run/forking.ts', '--run', folder(name), '--ranks', '2', '--snapshot-updates', '7'],
  ...set('testEvery=1', ...settings),
];
let native = false;

beforeAll(async () => {
  await loadTensorFlow();
  native = hasNative();
  if (!native) return;
  const { status, err } = await weir(...stoppedEarly('parent', 'patience=2', 'least=0.05'));
  expect(status, err).toBe(0);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

const streamOf = (name: string, stream: string) =>
  [...recordsOf(RunFolder.open(folder(name)))].filter((record) => record.stream === stream);

describe('a run of two ranks whose measurements decide', () => {
  test('ends on all ranks at one update, said once, and a fork with nothing changed has its bits', async ({ skip }) => {
    if (!native) skip('collectives need the native runtime');
    const ends = streamOf('parent', 'endings').map(({ network, number }) => [network, number]);
    expect(ends.map(([network]) => network)).toContain('none');
    const { status, err } = await weir('fork', folder('parent'), '--at', '5', '--run', folder('same'));
    expect(status, err).toBe(0);
    expect(err.match(/the training of none ends/g)).toHaveLength(1);
    expect(await hashOf(folder('same'))).toBe(await hashOf(folder('parent')));
    expect(RunFolder.open(folder('same')).started.origin).not.toHaveProperty('moved');
  });

  test('is forked to another number of ranks, which makes anew what its snapshots lack', async ({ skip }) => {
    if (!native) skip('collectives need the native runtime');
    const { status, err } = await call('fork', folder('parent'), '--at', '5', '--run', folder('fewer'), '--ranks', '1');
    expect(status, err).toBe(0);
    expect(err).toMatch(/none: updates \d to 5 are made again with ranks 1 \(was 2\)/);
    const [two, one] = ['parent', 'fewer'].map((name) => streamOf(name, 'updates'));
    expect(one!.map(({ network, number }) => [network, number])).toEqual(
      two!.map(({ network, number }) => [network, number]),
    );
    for (const [i, { loss }] of one!.entries()) expect(loss).toBeCloseTo(two![i]!.loss as number, 3);
    const { origin, ranks } = RunFolder.open(folder('fewer')).started;
    expect(origin?.moved).toContain('ranks 1 (was 2)');
    expect(ranks?.count).toBe(1); // `weir resume` goes on with as many
    expect(readFileSync(join(folder('fewer'), 'report/report.html'), 'utf8')).toContain('went on with ranks 1 (was 2)');
  });

  test('ends with an error that names rank and decision where a rank has measured otherwise', async ({ skip }) => {
    if (!native) skip('collectives need the native runtime');
    const { status, err } = await weir(...stoppedEarly('odd', 'shift=1', 'patience=3'));
    expect(status, err).not.toBe(0);
    expect(err).toMatch(/rank 1 on \S+ has the state of '(keep best|stop early)' = /);
    expect(err).toContain('all ranks must measure the same');
  });

  test('killed as soon as its config was changed, goes on with the change, and has it once', async ({ skip }) => {
    if (!native) skip('collectives need the native runtime');
    const change = (name: string) => start(...untapped(['resume', folder(name), ...set('epochs=10', 'attacked=3')]));
    const { status, err } = await weir(...stoppedEarly('changed'));
    expect(status, err).toBe(0);
    cpSync(folder('changed'), folder('killed'), { recursive: true });
    expect((await change('changed').ended).status).toBe(0);
    const { child, ended, said } = change('killed');
    await said('none: going on');
    for (const rank of ranksOf(child.pid!)) process.kill(rank, 'SIGKILL');
    child.kill('SIGKILL');
    await ended;
    expect((await weir('resume', folder('killed'), ...set('epochs=10', 'attacked=3'))).status).toBe(0); // given again, it changes nothing
    expect(RunFolder.open(folder('killed')).started.history).toHaveLength(1);
    expect(await hashOf(folder('killed'))).toBe(await hashOf(folder('changed')));
  });
});
