import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { numpyArray } from '../../src/data/datasets/npy.js';
import { exportAdversarial } from '../../src/export/npz.js';
import { network, pictured, sample } from '../report/example.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-npz-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('attacked samples of every network, their images among them, come back as they were', () => {
  const samples = [sample(7, null), pictured(8, 0.4)];
  const networks = ['none', 'rep'].map((name) => network(name, 0, [], { name, attack: { iterations: 40, samples } }));
  const file = join(folder, 'attacked.npz');
  expect(exportAdversarial(file, networks)).toEqual({ networks: 2, samples: 4, pictured: 2 });
  const arrays = unzipSync(readFileSync(file));
  expect(Object.keys(arrays)).toHaveLength(18);
  const read = (name: string) => numpyArray(arrays[`rep/${name}.npy`]!, name);
  expect([...read('index').values]).toEqual([7, 8]);
  expect([...read('distance').values]).toEqual([Number.NaN, 0.4]);
  expect([...read('adversarial_label').values]).toEqual([-1, 9]);
  expect([...read('pictured').values]).toEqual([1]);
  expect(read('original')).toEqual({ shape: [1, 8, 8], values: samples[1]!.original });
  expect(read('adversarial')).toEqual({ shape: [1, 8, 8], values: samples[1]!.adversarial });
});

test('a run that attacked nothing is refused', () => {
  const networks = [network('none', 0, [], { attack: null })];
  expect(() => exportAdversarial(join(folder, 'none.npz'), networks)).toThrow('no network of the run was attacked');
});
