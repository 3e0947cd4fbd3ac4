import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { updateRecord } from '../../../src/learn/update.js';
import { groups } from '../../../src/measure/networks/groups.js';
import { collectReport } from '../../../src/run/collect/collect.js';
import { baseName, conditionsOf } from '../../../src/run/collect/conditions.js';
import { RunFolder } from '../../../src/storage/run-folder.js';

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'weir-conditions-'));
});
afterAll(() => rmSync(base, { recursive: true }));

interface Made {
  readonly seed?: number;
  readonly setting?: string;
  readonly pipeline?: string;
  readonly lines?: readonly object[];
}

/** A run with that config. */
function run(
  name: string,
  config: Record<string, unknown>,
  { seed = 0, setting, pipeline = 'one', lines = [] }: Made = {},
) {
  const folder = RunFolder.create(join(base, name), {
    module: 'one.ts',
    pipeline,
    seed,
    config,
    networks: [],
    ...(setting !== undefined && { setting }),
  });
  folder.declare({ updates: updateRecord.description });
  writeFileSync(join(folder.path, 'metrics.ndjson'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return folder;
}

const summary = (folders: readonly RunFolder[]) => {
  const { settingOf, differences } = conditionsOf(folders);
  return { settings: folders.map(settingOf), differences };
};

test('runs that differ in their seed, in how many networks they list, and in a profile are repetitions', () => {
  const folders = [
    run('seed0', { rate: 1, seeds: 1, regularizers: ['none'] }),
    run('seed1', { rate: 1, seeds: 3, regularizers: ['none', 'rep-spectral'], profile: 'quick' }, { seed: 1 }),
  ];
  expect(summary(folders)).toEqual({ settings: ['', ''], differences: [] });
});

test('runs of another config are distinguished by the keys that differ, of any pipeline', () => {
  const folders = [
    run('a', { rate: 0.1, flavor: 'sweet', layers: [2, 8] }),
    run('b', { rate: 0.2, flavor: 'sweet', layers: [2, 8] }),
    run('c', { rate: 0.1, flavor: 'sweet', layers: [2, 8] }, { seed: 1 }),
    run('d', { rate: 0.1, flavor: 'sour', layers: [2, 8] }),
  ];
  const { settings, differences } = summary(folders);
  expect(settings).toEqual([
    'flavor=sweet, rate=0.1',
    'flavor=sweet, rate=0.2',
    'flavor=sweet, rate=0.1',
    'flavor=sour, rate=0.1',
  ]);
  expect(differences).toMatchObject([
    {
      pipeline: 'one',
      keys: ['flavor', 'rate'],
      conditions: [{ values: ['sweet', '0.1'] }, { values: ['sweet', '0.2'] }, { values: ['sour', '0.1'] }],
    },
  ]);
  expect(differences[0]!.conditions[0]!.runs).toHaveLength(2);
});

test('a key that one run does not have, and more keys than fit a name', () => {
  expect(summary([run('old', { rate: 1 }), run('new', { rate: 1, decay: 0 })])).toMatchObject({
    settings: ['no decay', 'decay=0'],
    differences: [{ keys: ['decay'], conditions: [{ values: [null] }, { values: ['0'] }] }],
  });
  const many = [1, 2].map((x) => run(`many${x}`, { a: x, b: x, c: x, d: x, e: x }));
  expect(summary(many).settings).toEqual(['setting 1', 'setting 2']);
});

test('the settings of a sweep keep their names; runs of one name that differ all the same get more', () => {
  const of = (name: string, gamma: number, hidden: number) =>
    run(name, { gamma, hidden }, { setting: `gamma=${gamma}` });
  const sweep = [of('g1', 1, 8), of('g2', 2, 8)];
  expect(summary(sweep).settings).toEqual(['gamma=1', 'gamma=2']);
  expect(summary([...sweep, of('g1-wide', 1, 16)]).settings).toEqual([
    'gamma=1, hidden=8',
    'gamma=2',
    'gamma=1, hidden=16',
  ]);
});

test('the origin of a run counts by its content, not by its path', () => {
  const sources = [run('from0', { gamma: 1 }), run('from1', { gamma: 1 }, { seed: 1 }), run('from2', { gamma: 2 })];
  const folders = sources.map(({ path }, i) => run(`of${i}`, { from: path, C: 1 }, { seed: i, pipeline: 'two' }));
  expect(summary(folders).settings).toEqual(['from.gamma=1', 'from.gamma=1', 'from.gamma=2']);
});

/** Gives a run this module and these data in its identity. */
function identified(folder: RunFolder, module: string, values: string, samples = 4): RunFolder {
  const { config, seed } = folder.started;
  const identity = {
    at: '2026-01-01T00:00:00Z',
    weir: '0',
    config,
    seed,
    configDigest: '',
    accepted: [],
    machine: {},
    module: { path: 'one.ts', files: { 'one.ts': module } },
    inputs: { one: { loader: [values] } },
  };
  const fingerprints = { [values]: { name: 'points', properties: { samples, shape: [2], values } } };
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(
    join(folder.path, 'identity.json'),
    JSON.stringify({ format: 2, fingerprints, identities: [identity] }),
  );
  return folder;
}

test('runs whose pipeline module or data differ are distinguished; data that a seed may have made are noted', () => {
  const made = (name: string, seed: number, module: string, values: string, samples?: number) =>
    identified(run(name, { rate: 1 }, { seed }), module, values, samples);
  const modules = summary([made('m0', 0, 'aa', 'x'), made('m1', 0, 'bb', 'x')]);
  expect(modules.differences).toMatchObject([{ keys: ['module'], conditions: [{}, {}] }]);
  const data = summary([made('d0', 0, 'aa', 'x'), made('d1', 0, 'aa', 'y')]);
  expect(data.differences).toMatchObject([{ keys: ['data'], conditions: [{}, {}] }]);
  const sizes = summary([made('s0', 0, 'aa', 'x', 4), made('s1', 1, 'aa', 'y', 5)]);
  expect(sizes.differences).toMatchObject([{ keys: ['data'], conditions: [{}, {}] }]);
  const drawn = conditionsOf([made('r0', 0, 'aa', 'x'), made('r1', 1, 'aa', 'y')]);
  expect(drawn.differences).toEqual([]);
  expect(drawn.notes).toEqual([
    expect.stringContaining('The data differ from run to run, as they do where a seed draws them.'),
  ]);
  expect(conditionsOf([made('e0', 0, 'aa', 'x'), made('e1', 1, 'aa', 'x')]).notes).toEqual([]);
});

const about = (name: string, more: object = {}) => ({ network: name, stream: 'network', name, seed: 0, ...more });
const updated = (network: string, regularizer?: string) => ({
  network,
  stream: 'updates',
  number: 0,
  epoch: 0,
  endsEpoch: true,
  ...(regularizer !== undefined && { regularizer }),
});
const labels = (folders: readonly RunFolder[]) => groups(collectReport(folders)).map(({ label }) => label);

test("a network is 'none' only where nothing was added to its loss", () => {
  const one = (name: string, ...lines: object[]) => labels([run(name, {}, { lines })]);
  expect(one('n1', about('one'), updated('one', 'none'))).toEqual(['none']);
  expect(one('n2', about('one'), updated('one', 'rep-spectral'))).toEqual(['rep-spectral']);
  expect(one('n3', about('net', { regularizer: 'none' }), updated('net', 'rep-spectral'))).toEqual(['rep-spectral']);
  expect(one('n4', about('net', { regularizer: 'mine' }), updated('net', 'none'))).toEqual(['mine']);
  expect(one('n5', about('one'))).toEqual(['one']); // a training of its own, without a note
  expect(one('n6', about('one', { regularizer: 'none' }), updated('one'))).toEqual(['one']); // of an earlier version: by default
  expect(one('n7', about('net', { regularizer: 'none' }))).toEqual(['none']);
});

test('networks of one run whose names differ by more than the seed are no repetitions', () => {
  const lines = ['wide-s0', 'wide-s1', 'narrow-s0'].map((name) =>
    about(name, { regularizer: 'none', seed: Number(name.at(-1)) }),
  );
  const found = groups(collectReport([run('names', {}, { lines })]));
  expect(found.map(({ label, networks }) => [label, networks.length])).toEqual([
    ['wide: none', 2],
    ['narrow: none', 1],
  ]);
  expect([baseName('rep-spectral-s13', 13), baseName('seed4', 4), baseName('net-2', 2), baseName('l2-sp', 2)]).toEqual([
    ...['rep-spectral', '', 'net', 'l2-sp'],
  ]);
});
