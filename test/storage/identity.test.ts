import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { samplesInput } from '../../src/data/fingerprint.js';
import type { Fingerprint } from '../../src/flow/header.js';
import { digestOf } from '../../src/storage/digest.js';
import {
  configChanges,
  type Identity,
  inputChanges,
  type Machine,
  machineChanges,
  moduleChanges,
  networkDigest,
} from '../../src/storage/identity.js';
import { moduleFiles } from '../../src/storage/module-files.js';

const samples = {
  ...{ name: 'numbers', size: 2, sampleShape: [2], classes: ['a', 'b'] },
  ...{ labels: Uint8Array.of(0, 1), values: Float32Array.of(0, 1, 2, 3) },
};
const of = (change: Partial<typeof samples> = {}) => ({
  name: 'numbers',
  ...samplesInput({ ...samples, ...change }).fingerprint(),
});

test.each<[string, Partial<typeof samples>, string]>([
  ['values', { values: Float32Array.of(0, 1, 2, -3) }, 'its values differ'],
  ['the sign of a zero', { values: Float32Array.of(-0, 1, 2, 3) }, 'its values differ'],
  ['labels', { labels: Uint8Array.of(1, 0) }, 'its labels differ'],
  ['the order of classes', { classes: ['b', 'a'] }, "class 1 is 'b' and was 'a'"],
  ['a class more', { classes: ['a', 'b', 'c'] }, 'it has 3 classes and had 2'],
  ['samples', { size: 1, labels: Uint8Array.of(0), values: Float32Array.of(0, 1) }, 'it has 1 samples and had 2'],
  ['shape', { sampleShape: [2, 1] }, 'its shape is [2,1] and was [2]'],
])('a data set whose %s changed is told of by that', (_, change, what) => {
  const changes = inputChanges({ loader: [of()], accuracy: [of()] }, { loader: [of(change)], accuracy: [of(change)] });
  expect(changes).toEqual([`data set 'numbers' (for 'loader') has changed: ${what}`]); // once, though two parts take it
  expect(inputChanges({ loader: [of()] }, { loader: [of()] })).toEqual([]);
});

const folder = (files: readonly string[]): { name: string } & Fingerprint => ({
  ...{ name: 'folder', properties: { samples: files.length, images: digestOf(files) }, files },
});

test('of a folder the files are named', () => {
  const before = folder(['00000001 a/1.png', '00000002 a/2.png', '00000003 a/3.png']);
  const after = folder(['00000001 a/1.png', '00000009 a/2.png', '00000004 a/4.png']);
  expect(inputChanges({ loader: [before] }, { loader: [after] })).toEqual([
    "data set 'folder' (for 'loader') has changed: 'a/2.png' was replaced, 'a/4.png' is new, 'a/3.png' is gone",
  ]);
});

test('config and code: each key with both values, each file', () => {
  expect(
    configChanges({ config: { rate: 0.1, only: 1 }, seed: 0 }, { config: { rate: 0.2, new: [1] }, seed: 1 }),
  ).toEqual([
    "the config's 'rate' was 0.1 and is 0.2",
    "the config's 'only' was 1 and is not set",
    "the config's 'new' was not set and is [1]",
    'the seed was 0 and is 1',
  ]);
  expect(
    moduleChanges({ 'a.ts': '1', 'b.ts': '2', 'c.ts': '3' }, { 'a.ts': '9', 'b.ts': '8', 'd.ts': '4' }, '/x/a.ts'),
  ).toEqual([
    'the pipeline module /x/a.ts was edited',
    "'b.ts', a part of the pipeline module /x/a.ts, was edited",
    "'c.ts', a part of the pipeline module /x/a.ts, is gone, or is not imported any more",
    "'d.ts', a part of the pipeline module /x/a.ts, was not imported before",
  ]);
  expect(moduleChanges({ 'a.ts': '1' }, { 'moved.ts': '1' }, '/y/moved.ts')).toEqual([]);
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`src/${i}.ts`, '1']));
  expect(moduleChanges({ 'a.ts': '1' }, { 'a.ts': '1', ...many }, '/x/a.ts')).toEqual([
    "200 parts of the pipeline module /x/a.ts were not imported before: 'src/0.ts', 'src/1.ts', 'src/2.ts' and 197 others (WEIR_DEBUG=1 names all)",
  ]);
});

const machine: Machine = {
  ...{
    runtime: 'TensorFlow 2.18.1 on the CPU',
    threads: 2,
    processor: 'X',
    features: ['avx2'],
    node: '20.1.0',
    ranks: 1,
  },
};

test('a machine is told by what differs of it', () => {
  expect(machineChanges(machine, machine)).toEqual([]);
  expect(machineChanges(machine, { ...machine, threads: 4, features: ['avx2', 'avx512f'] })).toEqual([
    'threads 4 (was 2)',
    'a processor with avx512f',
  ]);
});

test('a snapshot’s digest is of config, seed, code, data and machine, not of where and when', () => {
  const identity: Identity = {
    ...{ at: '2026', weir: '1', seed: 0, config: { a: 1, b: 2 }, configDigest: 'x', machine, accepted: [] },
    ...{ module: { path: '/a', files: { 'a.ts': '1' } }, inputs: { one: { loader: ['f'] }, two: { loader: ['g'] } } },
  };
  const digest = networkDigest(identity, 'one');
  expect(networkDigest({ ...identity, at: '2027', weir: '2', commit: 'c', accepted: ['x'] }, 'one')).toBe(digest);
  expect(
    networkDigest({ ...identity, module: { ...identity.module, path: '/b' }, config: { b: 2, a: 1 } }, 'one'),
  ).toBe(digest);
  expect(networkDigest(identity, 'two')).not.toBe(digest);
  for (const other of [{ seed: 1 }, { machine: { ...machine, threads: 3 } }, { inputs: { one: { loader: ['h'] } } }]) {
    expect(networkDigest({ ...identity, ...other }, 'one')).not.toBe(digest);
  }
});

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'weir-module-'));
});
afterAll(() => rmSync(base, { recursive: true }));

test('the files of a module: what it imports of the user’s, from file to file; neither packages nor types nor Weir', async () => {
  const { moduleFiles } = await import('../../src/storage/module-files.js');
  mkdirSync(join(base, 'lib'));
  const write = (name: string, text: string): void => writeFileSync(join(base, name), text);
  const index = join(import.meta.dirname, '../../src/index.ts');
  write(
    'a.ts',
    `import '${index}'; import { of } from 'rxjs'; import './lib/b.js'; import type { T } from './types.js';
    import data from './data.json' with { type: 'json' }; export default async () => [of(data), await import('./late.mjs'), null as T];`,
  );
  write('lib/b.ts', "require('../c.cjs'); import './gone.js';");
  write('c.cjs', 'module.exports = 1;');
  write('late.mjs', 'export {};');
  write('types.ts', 'export type T = null;');
  write('data.json', '{}');
  expect(Object.keys(await moduleFiles(join(base, 'a.ts')))).toEqual([
    'a.ts',
    'c.cjs',
    'data.json',
    'late.mjs',
    'lib/b.ts',
  ]);
  expect(await moduleFiles(join(base, 'a.ts'))).toMatchObject({ 'data.json': digestOf({}) });
  write('own.ts', "import './broken.js'; export {};");
  write('broken.ts', 'this is no code');
  expect(Object.keys(await moduleFiles(join(base, 'own.ts')))).toEqual(['own.ts', 'broken.ts']);
  const pipeline = join(import.meta.dirname, '../../pipelines/mnist.ts');
  expect(Object.keys(await moduleFiles(pipeline))).toEqual(['mnist.ts', 'shared/paper.ts']);
});

test('of several modules that are asked for at once each is answered', async () => {
  const modules = ['xor', 'mnist', 'tracking'].map((name) => join('pipelines', `${name}.ts`));
  const found = await Promise.all(modules.map(moduleFiles));
  expect(found.map((files) => Object.keys(files)[0])).toEqual(['xor.ts', 'mnist.ts', 'tracking.ts']);
});
