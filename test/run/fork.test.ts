import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collectReport } from '../../src/run/collect/collect.js';
import { beginningOf, checkFork, planFork } from '../../src/run/fork.js';
import { type Pipeline, pipeline } from '../../src/run/pipeline.js';
import { recordsOf } from '../../src/run/run-log.js';
import type { RunFolder } from '../../src/storage/run-folder.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { hashOf } from '../cli/weir.js';
import { begin, forked, run } from './forked-runs.js';
import forking from './forking.js';

const base = mkdtempSync(join(tmpdir(), 'weir-fork-'));
const fork = (of: RunFolder, at: number, name: string, ...settings: string[]): Promise<RunFolder> =>
  forked(of, at, join(base, name), ...settings);

let parent: RunFolder;
beforeAll(async () => {
  await loadTensorFlow();
  parent = begin(join(base, 'parent'));
  expect(await run(parent)).toBe('done');
});
afterAll(() => rmSync(base, { recursive: true }));

test('forked at any of 20 updates with nothing changed, a run ends in the bits of the other', async () => {
  const whole = await hashOf(parent.path);
  for (let at = 1; at <= 20; at++) {
    const child = await fork(parent, at, `at-${at}`);
    expect(await run(child)).toBe('done');
    expect([at, await hashOf(child.path)]).toEqual([at, whole]);
  }
});

test('stopped on the way to its update and behind it, a fork ends in the same bits', async () => {
  const child = await fork(parent, 11, 'stopped');
  const stops = ['none', 'rep-spectral'].flatMap((name) => [6, 11, 14].map((number) => ({ name, number })));
  for (const { name, number } of stops) {
    await run(child, (one) => one.network === name && Number(one.number) >= number);
  }
  expect(await run(child)).toBe('done');
  expect(await hashOf(child.path)).toBe(await hashOf(parent.path));
});

test('a fork has the lines of the other run up to its update, and other ones behind it; forked back it is the first again', async () => {
  const child = await fork(parent, 10, 'slower', 'rate=0.01');
  await run(child);
  const [before, after] = [parent, child].map((folder) =>
    [...recordsOf(folder)].filter((one) => one.stream === 'updates'),
  );
  expect(after).toHaveLength(before!.length);
  const rates = after!.map(({ network, number, rate }) => [network, Number(number) > 10, rate]);
  expect(new Set(rates.map(String))).toEqual(
    new Set([
      ...['none,false,', 'none,false,0.05', 'none,true,0.01'],
      ...['rep-spectral,false,0.05', 'rep-spectral,true,0.01'],
    ]),
  );
  expect(await hashOf(child.path)).not.toBe(await hashOf(parent.path));
  const { networks, notes } = collectReport([parent, child]);
  expect(networks.map(({ setting, curves }) => [setting, curves['test loss']!.length])).toEqual([
    ...['none', 'rep-spectral'].map((name) => [`rate=0.05, no origin, ${name}`, 5]),
    ...['none', 'rep-spectral'].map((name) => [`rate=0.01, origin=update 10 of parent, ${name}`, 5]),
  ]);
  expect(notes).toContain(
    `${child.shown} is ${parent.path} up to update 10; from there on it has rate=0.01 (before: 0.05).`,
  );
  expect(networks.map(({ origin }) => origin && [origin.run, origin.update])).toEqual([
    ...[undefined, undefined],
    ...[0, 1].map(() => ['parent', 10]),
  ]);
  expect(networks[2]!.origin!.curves).toEqual(networks[0]!.curves); // on one axis with its own
  expect(networks[2]!.origin!.epoch).toBe(10 / (networks[2]!.updates / networks[2]!.epochs));
  const back = await fork(child, 9, 'back', 'rate=0.05');
  expect(back.started.origin?.run).toBe(parent.path);
  await run(back);
  expect(await hashOf(back.path)).toBe(await hashOf(parent.path));
});

test('a run that cannot be forked is refused before anything is written', async () => {
  const refused = (at: number, ...settings: string[]) => fork(parent, at, 'refused', ...settings);
  await expect(refused(25)).rejects.toThrow("network 'none' of");
  await expect(refused(25)).rejects.toThrow('has come to update 24, and not to 25');
  await expect(refused(9, 'hidden=9')).rejects.toThrow('these settings change the graph');
  await expect(refused(9, 'noise=0.3')).rejects.toThrow("these settings change the data: data set 'xor/noisy'");
  await expect(refused(24, 'epochs=6')).rejects.toThrow(
    'is in epoch 8, and with these settings its training ends with epoch 6',
  );
  await expect(refused(19, 'epochs=6')).rejects.toThrow('is in epoch 7');
  expect(planFork(parent, forking as unknown as Pipeline, { at: 18, settings: ['epochs=6'] }).config.epochs).toBe(6);
  expect(existsSync(join(base, 'refused'))).toBe(false);
});

test('a model of other shapes is refused also where the other run has no snapshot before the update', async () => {
  const { at, settings } = { at: 1, settings: ['hidden=9'] };
  const bare = pipeline({
    ...(forking as unknown as Pipeline),
    title: 'without a spectral regularizer',
    wire: async (wiring) => {
      const { updates$ } = await (forking as unknown as Pipeline).wire(wiring);
      return { updates$: updates$! };
    },
  });
  const plan = planFork(parent, bare, { at, settings });
  expect(beginningOf(plan.origin, 'none')).toEqual({ state: undefined, trunk: undefined });
  await expect(checkFork(bare, plan)).rejects.toMatchObject({
    message: expect.stringMatching(/these settings change the graph: .*is \[2, 8\] there and \[2, 9\]/),
    remedy: expect.stringContaining('start another run with `weir run`'),
  });
  await checkFork(bare, planFork(parent, bare, { at, settings: ['rate=0.01'] }));
});
