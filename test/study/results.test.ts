import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { attackRecord } from '../../src/measure/attack/record.js';
import type { NetworkReport } from '../../src/measure/networks/record.js';
import { distancesOf, VIEWS } from '../../src/study/distances.js';
import { merged, readResults, type StudyResult, writeResult } from '../../src/study/results.js';
import { network, sample } from '../report/example.js';
import { made } from './example.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-results-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const result = (seed: number, more: Partial<StudyResult> = {}): StudyResult => ({
  ...{ experiment: 'digits', setting: '', seed, made, config: { gamma: 0.001 } },
  networks: [network('none', seed, [1, 2])],
  ...more,
});

test('a result that is read again gives the same numbers', () => {
  const bounds = [0, 1, 2].map((index) => ({
    ...{ index, label: index, predicted: index, outcome: 'found', distance: 0.5 + index, lower: 0.25, queries: 200 },
    number: 100,
  }));
  const whole = network('rep-spectral', 3, [], {
    attack: {
      name: 'Tangent Attack',
      iterations: 40,
      samples: [sample(0, 1.5), sample(1, null), sample(2, 3, { upper: 2 })],
    },
    measurements: { bounds: { description: attackRecord('DDN', 'white-box').description, records: bounds } },
    exact: [{ index: 0, label: 0, distance: 0.75 }],
    ticks: { hidden1: [{ epoch: 10, value: 2.5 }] },
  });
  writeResult(folder, 'digits-seed-3', result(3, { networks: [whole] }));
  const [read] = readResults(folder);
  expect(read).toMatchObject({ experiment: 'digits', seed: 3, made, config: { gamma: 0.001 } });
  const [again] = read!.networks as [NetworkReport];
  for (const view of VIEWS) expect([...distancesOf(again, view, [])]).toEqual([...distancesOf(whole, view, [])]);
  expect([...distancesOf(again, VIEWS[2]!, [])]).toEqual([
    [0, 0.5],
    [1, 1.5],
    [2, 2],
  ]);
  expect(again.attack!.samples[1]).toMatchObject({ distance: null, outcome: 'never flipped' });
  expect([again.sigma, again.ticks, again.testAccuracy]).toEqual([whole.sigma, whole.ticks, 0.98]);
});

test('forty networks with a thousand images each take less than a megabyte', () => {
  const random = (i: number): number => Math.fround(1 + (Math.abs(Math.sin(i * 12.9898) * 43758.5453) % 1));
  const networks = Array.from({ length: 40 }, (_, seed) => {
    const samples = Array.from({ length: 1000 }, (_, i) =>
      sample(i, random(seed + 40 * i), { upper: random(seed + 40 * i) * 0.9, lower: random(7 * i + seed) * 0.1 }),
    );
    return network('none', seed, [], { attack: { iterations: 40, samples } });
  });
  const path = writeResult(folder, 'all', result(0, { networks }));
  expect(statSync(path).size).toBeLessThan(1_000_000);
});

test('seeds of several sessions add up, and one that is there twice counts once', () => {
  const all = merged([result(0), result(1), result(1), result(2, { made: { ...made, commit: 'def' } })]);
  expect(all.map(({ seed }) => seed)).toEqual([0, 1, 2]);
});

test('results of other values or other data are refused by name', () => {
  expect(() => merged([result(0), result(1, { config: { gamma: 0.1 } })])).toThrow(
    'digits, seed 0 in the run of 2026-01-02T03:04:05Z and digits, seed 1 in the run of 2026-01-02T03:04:05Z were made with gamma=0.001 and gamma=0.1',
  );
  const other = { ...made, data: ['mnist, 100 samples, SHA-256 ffffffffffff'] };
  expect(() => merged([result(0), result(0, { made: other })])).toThrow('are of other data');
  expect(merged([result(0), result(1, { made: other })])).toHaveLength(2); // a seed may draw its data
  expect(() => merged([result(0), result(1, { made: { ...made, data: ['mnist, 50 samples, SHA-256 0'] } })])).toThrow(
    'data mnist, 100 samples and mnist, 50 samples',
  );
});

test('a file that holds no result is refused by its name', () => {
  const file = join(folder, 'odd.weirresult');
  writeFileSync(file, 'no result');
  expect(() => readResults(folder)).toThrow(`${file} holds no result of a study`);
  expect(() => readResults(join(folder, 'none'))).toThrow('cannot read');
});
