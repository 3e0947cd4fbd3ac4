import type { NetworkReport } from '../../src/measure/networks/record.js';
import type { StudyNetwork } from '../../src/study/comparison.js';
import type { StudyResult } from '../../src/study/results.js';
import { type Claim, type Study, study } from '../../src/study/study.js';
import { network } from '../report/example.js';

export const cost = { measured: 60, by: 'a smaller run', factor: 10, paper: 1000, gpu: 5 };

const at = (method: string) => ({ experiment: 'digits', method });

/** A study with these claims, on one experiment of ten seeds. */
export const studyOf = (...claims: Claim[]): Study =>
  study({
    name: 'example',
    data: { digits: { describe: 'folder of digits' } },
    experiments: { digits: { pipeline: 'mnist', title: 'digits', seeds: 10, data: { data: 'digits' }, cost } },
    claims,
  });

export const larger: Claim = {
  id: 'larger',
  where: 'figure 4',
  words: 'rep-spectral has the larger Δx',
  analyses: [{ test: 'greater', measure: 'Δx', a: at('rep-spectral'), b: at('none') }],
};

export const asAccurate: Claim = {
  id: 'as-accurate',
  where: 'figure 4',
  words: 'rep-spectral is as accurate',
  analyses: [
    {
      test: 'equal',
      measure: 'test accuracy',
      a: at('rep-spectral'),
      b: at('none'),
      margin: { size: 0.01, why: 'one point' },
    },
  ],
};

export const bounded: Claim = {
  id: 'bounded',
  where: 'lemma 1',
  words: 'no point is nearer than the bound',
  analyses: [{ test: 'every', check: 'lower ≤ upper', of: ['digits'] }],
};

/** Networks of both methods, seed by seed: distances of two images each, the first by the Tangent Attack. */
export const networksOf = (
  seeds: number,
  of: (
    method: 'none' | 'rep-spectral',
    seed: number,
  ) => { distances: (number | null)[]; more?: Partial<NetworkReport> },
): StudyNetwork[] =>
  Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
    (['none', 'rep-spectral'] as const).map((method) => {
      const { distances, more } = of(method, seed);
      return { experiment: 'digits', setting: '', network: network(method, seed, distances, more) };
    }),
  );

export const made: StudyResult['made'] = {
  weir: '0.2.0',
  commit: 'abc',
  machine: 'two cores',
  command: 'weir run mnist.ts',
  data: ['mnist, 100 samples, SHA-256 0123456789ab'],
  seconds: 100,
  at: '2026-01-02T03:04:05Z',
};
