import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { numpyArray } from '../../src/data/datasets/npy.js';
import { exportAdversarial } from '../../src/export/npz.js';
import { pictured, sample } from '../report/example.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-npz-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('attacked samples of every network, their images among them, come back as they were', () => {
  const samples = [sample(7, null), pictured(8, 0.4)];
  const networks = ['none', 'rep'].map((name) => ({
    name,
    sampleShape: [8, 8],
    attacks: new Map([['attacks', samples]]),
  }));
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

test('of several attacks each has its own samples and images, by its stream', () => {
  const [far, near] = [[pictured(7, 0.4)], [pictured(7, 0.3), sample(8, 0.2)]];
  const attacks = new Map([
    ['attacks', far],
    ['ddn', near],
  ]);
  const file = join(folder, 'several.npz');
  const kept = (_: string, stream: string) =>
    stream === 'ddn' ? [{ ...near[0], adversarial: new Float32Array(64) }] : [];
  const networks = [
    { name: 'none', sampleShape: [8, 8], attacks },
    { name: 'rep', sampleShape: [8, 8], attacks: new Map([['ddn', near]]) },
  ];
  expect(exportAdversarial(file, networks, kept)).toEqual({ networks: 2, samples: 5, pictured: 3 });
  const arrays = unzipSync(readFileSync(file));
  const read = (name: string) => [...numpyArray(arrays[`${name}.npy`]!, name).values];
  expect(read('none/attacks/distance')).toEqual([0.4]);
  expect(read('none/ddn/distance')).toEqual([0.3, 0.2]);
  expect(read('rep/ddn/index')).toEqual([7, 8]);
  expect(read('none/attacks/adversarial')).toEqual([...far[0]!.adversarial!]);
  expect(read('none/ddn/adversarial')).toEqual(Array.from({ length: 64 }, () => 0));
});

test('a run that attacked nothing is refused', () => {
  const networks = [{ name: 'none', sampleShape: [8, 8], attacks: new Map() }];
  expect(() => exportAdversarial(join(folder, 'none.npz'), networks)).toThrow('no network of the run was attacked');
});
