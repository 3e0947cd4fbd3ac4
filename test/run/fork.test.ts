import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collectReport } from '../../src/run/collect/collect.js';
import { checkFork, planFork } from '../../src/run/fork.js';
import { beginningOf } from '../../src/run/fork-origin.js';
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

test('forked at any update of an epoch with nothing changed, before its branch and behind, a run ends in the bits of the other', async () => {
  const whole = await hashOf(parent.path);
  for (const at of [1, 2, 3, 5, 7, 8, 9, 10, 11, 15, 19, 20]) {
    const child = await fork(parent, at, `at-${at}`);
    expect(await run(child)).toBe('done');
    expect([at, await hashOf(child.path)]).toEqual([at, whole]);
  }
});

test('a fork of a fork behind a branch goes on from the branch that the first run made', async () => {
  const child = await fork(parent, 19, 'child');
  expect(await run(child)).toBe('done');
  const grandchild = await fork(child, 21, 'grandchild');
  expect(grandchild.started.origin?.run).toBe(child.path);
  expect(await run(grandchild)).toBe('done');
  expect(await hashOf(grandchild.path)).toBe(await hashOf(parent.path));
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
  await expect(refused(9, 'hidden=9')).rejects.toThrow("these settings change the graph of network 'none'");
  await expect(refused(9, 'noise=0.3')).rejects.toThrow(
    "these settings change the data of network 'none': data set 'xor/noisy'",
  );
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
    message: expect.stringMatching(
      /these settings change the graph of network 'none': .*is \[2, 8\] there and \[2, 9\]/,
    ),
    remedy: expect.stringContaining('start another run with `weir run`'),
  });
  await checkFork(bare, planFork(parent, bare, { at, settings: ['rate=0.01'] }));
});

test('what a setting changes in the graph or the data of a later network alone is refused too', async () => {
  const later = (key: string) =>
    pipeline({
      ...(forking as unknown as Pipeline),
      title: `the first network is without ${key}`,
      wire: ({ config, ...wiring }) => {
        const usual = { ...config, hidden: 8, noise: 0.2 };
        const own = wiring.network.name === 'none' ? usual : { ...usual, [key]: config[key] };
        return (forking as unknown as Pipeline).wire({ config: own, ...wiring });
      },
    });
  const refused = (key: string, value: number) => {
    const changed = later(key);
    return checkFork(changed, planFork(parent, changed, { at: 12, settings: [`${key}=${value}`] }));
  };
  await expect(refused('hidden', 9)).rejects.toThrow("change the graph of network 'rep-spectral'");
  await expect(refused('noise', 0.3)).rejects.toThrow("change the data of network 'rep-spectral'");
});

const refusal = (message: string, remedy: string) =>
  expect.objectContaining({ message: expect.stringContaining(message), remedy: expect.stringContaining(remedy) });

test('at the last update a fork is refused that would train nothing; with more epochs it goes on', async () => {
  const plan = (...settings: string[]) => planFork(parent, forking as unknown as Pipeline, { at: 24, settings });
  const why = `the training of network 'none' of ${parent.shown} ended with update 24, and a fork there would train nothing`;
  expect(() => plan()).toThrow(refusal(why, `set more epochs, here or by \`weir resume ${parent.shown}\``));
  expect(() => plan('rate=0.01')).toThrow(refusal(why, 'fork before update 24'));
  expect(() => plan('attacked=3')).toThrow(refusal(why, `anew by \`weir attack ${parent.shown}\``));
  const longer = await fork(parent, 24, 'longer', 'epochs=10');
  expect(await run(longer)).toBe('done');
  const updates = [...recordsOf(longer)].filter(({ stream, network }) => stream === 'updates' && network === 'none');
  expect(updates.map(({ number }) => number)).toEqual(Array.from({ length: 31 }, (_, i) => i));
});

const endsOf = (folder: RunFolder) =>
  [...recordsOf(folder)].flatMap(({ stream, network, number }) => (stream === 'endings' ? [[network, number]] : []));

test('of two networks one ends early by its own measurements; forked behind that it stays as it is', async () => {
  const settings = ['epochs=30', 'rate=0.1', 'testEvery=1', 'patience=3'];
  const judged = begin(join(base, 'judged'), ...settings);
  await run(judged);
  const ends = endsOf(judged);
  expect(ends.map(([name]) => name)).toEqual(['rep-spectral']);
  const last = Number(ends[0]![1]);
  expect(last).toBeLessThan(85);
  const at = last + 4;
  const same = await fork(judged, at, 'judged-same');
  expect(same.started.origin?.ended).toEqual({ 'rep-spectral': last });
  expect(await run(same)).toBe('done');
  expect(await hashOf(same.path)).toBe(await hashOf(judged.path));
  const often = await fork(judged, at, 'judged-often', 'testEvery=2');
  await run(often);
  expect(endsOf(often)).toEqual([['rep-spectral', last]]);
  const plan = (number: number, ...settings: string[]) =>
    planFork(judged, forking as unknown as Pipeline, { at: number, settings });
  expect(() => plan(at, 'patience=9')).toThrow(
    refusal(`ended with update ${last}: loss was not`, 'leave patience as before'),
  );
  expect(() => plan(90, 'attacked=3')).toThrow(refusal('would train nothing', 'weir attack'));
});

test('where a trunk ends before the epoch of a branch, the branch is trained from its beginning, to the same end', async () => {
  const short = begin(join(base, 'short'), 'testEvery=1', 'patience=1', 'least=10');
  expect(await run(short, ({ network, number }) => network === 'rep-spectral' && number === 2)).toBe('stopped');
  expect(await run(short)).toBe('done');
  expect(endsOf(short)).toEqual([
    ['none', 3],
    ['rep-spectral', 3],
  ]);
  const records = [...recordsOf(short)];
  expect(records.filter(({ stream, network }) => stream === 'updates' && network === 'rep-spectral')).toHaveLength(4);
  const again = await fork(short, 2, 'short-again');
  await run(again);
  expect(await hashOf(again.path)).toBe(await hashOf(short.path));
});
