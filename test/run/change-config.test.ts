import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeConfig, checkSchedules, planChange } from '../../src/run/change-config.js';
import { collectReport } from '../../src/run/collect/collect.js';
import type { Pipeline } from '../../src/run/pipeline.js';
import { RunIdentity, thisMachine } from '../../src/run/run-identity.js';
import { recordsOf } from '../../src/run/run-log.js';
import { weightsDigest } from '../../src/run/weights.js';
import type { RunFolder } from '../../src/storage/run-folder.js';
import { trainedState } from '../../src/storage/run-state.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { hashOf, statusOf } from '../cli/weir.js';
import { begin, forked, run } from './forked-runs.js';
import module from './forking.js';

const pipeline = module as unknown as Pipeline;
const base = mkdtempSync(join(tmpdir(), 'weir-change-'));
beforeAll(() => loadTensorFlow());
afterAll(() => rmSync(base, { recursive: true }));

async function changed(folder: RunFolder, ...settings: string[]): Promise<RunFolder> {
  const change = planChange(folder, pipeline, settings)!;
  await checkSchedules(pipeline, change);
  return changeConfig(change);
}

const weightsOf = (folder: RunFolder): string[] =>
  ['none', 'rep-spectral'].map((name) => weightsDigest(trainedState(folder, name)));

test('a finished run goes on for two more epochs, to the weights of a run that was begun with them; stopped on the way too', async () => {
  const whole = begin(join(base, 'whole'), 'epochs=10');
  expect(await run(whole)).toBe('done');
  const folder = begin(join(base, 'longer'));
  expect(await run(folder)).toBe('done');
  const before = [...recordsOf(folder)].length;
  const longer = await changed(folder, 'epochs=10');
  expect(await statusOf(longer.path)).toMatchObject({ state: 'stopped', damage: null });
  for (const name of ['none', 'rep-spectral']) {
    expect(await run(longer, (one) => one.network === name && Number(one.number) >= 27)).toBe('stopped');
  }
  expect(await run(longer)).toBe('done');
  expect(weightsOf(longer)).toEqual(weightsOf(whole));
  const records = [...recordsOf(longer)];
  expect(records.slice(before).map(({ network }) => network)).toEqual(expect.arrayContaining(['none', 'rep-spectral']));
  const updates = records.filter(({ stream, network }) => stream === 'updates' && network === 'none');
  expect(updates.map(({ number }) => number)).toEqual(Array.from({ length: 31 }, (_, i) => i));
  const { networks, notes } = collectReport([longer]);
  expect(networks.map(({ epochs }) => epochs)).toEqual([10, 10]);
  expect(notes.join()).toContain('from update 24 of none, update 24 of rep-spectral, with epochs=10 (before: 8).');

  const fork = await forked(longer, 20, join(base, 'fork'));
  expect(fork.started.origin?.config.epochs).toBe(8);
  expect(await run(fork)).toBe('done');
  expect(weightsOf(fork)).toEqual(weightsOf(whole));
});

test('a change of a cadence holds from the update on at which it was made, and the identity of the run follows it', async () => {
  const folder = begin(join(base, 'cadence'));
  const identity = (of: RunFolder) => thisMachine().then((machine) => RunIdentity.of(of, machine));
  const first = await identity(folder);
  first.save();
  await run(folder, (one) => one.network === 'none' && Number(one.number) >= 13, first);
  const often = await changed(folder, 'testEvery=1');
  expect(readdirSync(join(often.path, 'snapshots/none')).some((name) => name.endsWith('-at-13.snapshot'))).toBe(true);
  const second = await identity(often);
  expect(second.accepted).toEqual([]);
  expect(await run(often, undefined, second)).toBe('done');
  const tests = [...recordsOf(often)].filter(({ stream }) => stream === 'tests');
  const epochs = (name: string) => tests.filter(({ network }) => network === name).map(({ epoch }) => epoch);
  expect(epochs('none')).toEqual([0, 2, 4, 5, 6, 7, 8]);
  expect(epochs('rep-spectral')).toEqual([3, 4, 5, 6, 7, 8]); // it branches off at epoch 3
  expect(await statusOf(often.path)).toMatchObject({ state: 'done', damage: null });
  expect((await identity(often)).accepted).toEqual([]);
  expect(planChange(often, pipeline, ['testEvery=1'])).toBeUndefined();
});

test('a change that would falsify earlier updates is refused, and the refusal names the fork', async () => {
  const folder = begin(join(base, 'refused'), 'cosine=true');
  const plan = (...settings: string[]) => planChange(folder, pipeline, settings);
  expect(() => plan('rate=0.1')).toThrow('rate of');
  await run(folder);
  const hash = await hashOf(folder.path);
  const remedy = (at: number, setting: string) => ({
    remedy: expect.stringContaining(`--at ${at} --set ${setting}\``),
  });
  expect(() => plan('rate=0.1')).toThrow(expect.objectContaining(remedy(23, 'rate=0.1'))); // at 24 nothing is left to train
  expect(() => plan('epochs=6')).toThrow('may only grow, and is to become 6 after 8');
  expect(() => plan('epochs=6')).toThrow(
    expect.objectContaining({
      remedy: expect.stringMatching(/^`weir run .* --set epochs=6`, with its other settings, makes/),
    }),
  );
  expect(() => plan('attacked=3')).toThrow('is finished, and attacked would change nothing of what it did');
  await expect(changed(folder, 'epochs=10')).rejects.toThrow(
    /the learning rate of epoch 2 was 0\.048\d*, and with epochs=10 would have been 0\.0487/,
  );
  await expect(changed(folder, 'epochs=10')).rejects.toMatchObject(remedy(24, 'epochs=10'));
  expect(await hashOf(folder.path)).toBe(hash);
});
