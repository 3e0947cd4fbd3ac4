import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Outcome } from '../../src/flow/flow.js';
import { collectReport } from '../../src/run/collect/collect.js';
import { resolveConfig } from '../../src/run/config.js';
import { Execution } from '../../src/run/execution.js';
import { checkFork, planFork } from '../../src/run/fork.js';
import type { Pipeline } from '../../src/run/pipeline.js';
import { recordsOf } from '../../src/run/run-log.js';
import { unwatched } from '../../src/run/watch.js';
import type { MetricRecord } from '../../src/storage/metric-reader.js';
import { plannedNetworks, RunFolder } from '../../src/storage/run-folder.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { hashOf } from '../cli/weir.js';
import module from './forking.js';

const pipeline = module as unknown as Pipeline;
const base = mkdtempSync(join(tmpdir(), 'weir-fork-'));
const start = { module: 'test/run/forking.ts', pipeline: pipeline.name, seed: 0 };
const networksOf = (config: Record<string, unknown>) => plannedNetworks(pipeline.networks(config, 0), config);

/** Runs the rest of a run; asked to stop behind a record where `stopAt` says so. */
async function run(folder: RunFolder, stopAt: (record: MetricRecord) => boolean = () => false): Promise<Outcome> {
  const record = (one: MetricRecord): void => {
    if (stopAt(one)) execution.requests.stop();
  };
  const options = { snapshotEvery: 1e6, snapshotUpdates: 7, snapshotKeep: 2, onSnapshotError: 'stop' } as const;
  const execution: Execution = new Execution(folder, pipeline, { ...options, watch: { ...unwatched, record } });
  return execution.run();
}

async function forked(of: RunFolder, at: number, name: string, ...settings: string[]): Promise<RunFolder> {
  const plan = planFork(of, pipeline, { at, settings });
  await checkFork(pipeline, plan);
  const { config, origin } = plan;
  return RunFolder.create(join(base, name), { ...start, config, networks: networksOf(config), origin });
}

let parent: RunFolder;
beforeAll(async () => {
  await loadTensorFlow();
  const config = resolveConfig(pipeline.config, {}, []);
  parent = RunFolder.create(join(base, 'parent'), { ...start, config, networks: networksOf(config) });
  expect(await run(parent)).toBe('done');
});
afterAll(() => rmSync(base, { recursive: true }));

test('forked at any of 20 updates with nothing changed, a run ends in the bits of the other', async () => {
  const whole = await hashOf(parent.path);
  for (let at = 1; at <= 20; at++) {
    const fork = await forked(parent, at, `at-${at}`);
    expect(await run(fork)).toBe('done');
    expect([at, await hashOf(fork.path)]).toEqual([at, whole]);
  }
});

test('stopped on the way to its update and behind it, a fork ends in the same bits', async () => {
  const fork = await forked(parent, 11, 'stopped');
  const stops = ['none', 'rep-spectral'].flatMap((name) => [6, 11, 14].map((number) => ({ name, number })));
  for (const { name, number } of stops) {
    await run(fork, (one) => one.network === name && Number(one.number) >= number);
  }
  expect(await run(fork)).toBe('done');
  expect(await hashOf(fork.path)).toBe(await hashOf(parent.path));
});

test('a fork has the lines of the other run up to its update, and other ones behind it; forked back it is the first again', async () => {
  const fork = await forked(parent, 10, 'slower', 'rate=0.01');
  await run(fork);
  const [before, after] = [parent, fork].map((folder) =>
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
  expect(await hashOf(fork.path)).not.toBe(await hashOf(parent.path));
  const { networks, notes } = collectReport([parent, fork]);
  expect(networks.map(({ setting, curves }) => [setting, curves['test loss']!.length])).toEqual([
    ...['none', 'rep-spectral'].map((name) => [`rate=0.05, no origin, ${name}`, 5]),
    ...['none', 'rep-spectral'].map((name) => [`rate=0.01, origin=update 10 of parent, ${name}`, 5]),
  ]);
  expect(notes).toContain(
    `${fork.shown} is ${parent.path} up to update 10; from there on it has rate=0.01 (before: 0.05).`,
  );
  const back = await forked(fork, 9, 'back', 'rate=0.05');
  expect(back.started.origin?.run).toBe(parent.path);
  await run(back);
  expect(await hashOf(back.path)).toBe(await hashOf(parent.path));
});

test('what cannot be forked is refused before anything is written', async () => {
  const refused = (at: number, ...settings: string[]) => forked(parent, at, 'refused', ...settings);
  await expect(refused(25)).rejects.toThrow("network 'none' of");
  await expect(refused(25)).rejects.toThrow('has come to update 24, and not to 25');
  await expect(refused(9, 'hidden=9')).rejects.toThrow('these settings change the graph');
  await expect(refused(9, 'noise=0.3')).rejects.toThrow("these settings change the data: data set 'xor/noisy'");
});
