import { expect, test } from 'vitest';
import { matchedStrength, matchLines } from '../../../src/measure/networks/matching.js';
import type { NetworkReport } from '../../../src/measure/networks/record.js';

const network = (regularizer: string, seed: number, testAccuracy: number | null, config: object): NetworkReport =>
  ({
    name: regularizer,
    run: 'runs/a',
    regularizer,
    seed,
    testAccuracy,
    config,
  }) as Partial<NetworkReport> as NetworkReport;
const validated = (gammas: object = {}) => ({ evaluateOn: 'validation', gamma: 0.01, gammas });

/** Two seeds of rep-spectral with accuracy 0.95, and weight decay of three strengths. */
const networks = [
  ...[0, 1].map((seed) => network('rep-spectral', seed, 0.94 + 0.02 * seed, validated())),
  ...([0.97, 0.96, 0.92] as const).flatMap((accuracy, i) =>
    [0, 1].map((seed) =>
      network('weight-decay', seed, accuracy + 0.01 * seed - 0.005, validated({ 'weight-decay': 10 ** (i - 3) })),
    ),
  ),
];
const pair = { tuned: 'weight-decay', to: 'rep-spectral' };

test('the strength whose mean accuracy is nearest, and where it would be equal', () => {
  const found = matchedStrength({ networks }, pair);
  expect(found.accuracy).toBeCloseTo(0.95, 12);
  expect(found.best).toEqual({ gamma: 0.01, accuracy: expect.closeTo(0.96, 12), networks: 2 });
  expect(found.next).toBeCloseTo(0.01 * 10 ** 0.25, 12); // a quarter of the way from 0.96 to 0.92
  expect(matchLines(found)).toEqual([
    'validation accuracy of rep-spectral, mean over 2 seeds: 95.00 %',
    '  weight-decay γ = 0.001: 97.00 %',
    '  weight-decay γ = 0.01: 96.00 %  nearest',
    '  weight-decay γ = 0.1: 92.00 %',
    '  equal at γ ≈ 0.0178, by a line over log γ',
    `--set 'gammas={"weight-decay":0.01}'`,
  ]);
});

test('only seeds that all strengths have are compared', () => {
  const more = [...networks, network('rep-spectral', 7, 0.1, validated())];
  expect(matchedStrength({ networks: more }, pair).accuracy).toBeCloseTo(0.95, 12);
  const others = networks.filter(({ regularizer, seed }) => (regularizer === 'rep-spectral') === (seed === 0));
  expect(() => matchedStrength({ networks: others }, pair)).toThrow('no seed has a measured network');
});

test('networks that were measured on test images are refused, and a regularizer that none has', () => {
  const tested = [...networks, network('weight-decay', 0, 0.9, { evaluateOn: 'test', gamma: 1 })];
  expect(() => matchedStrength({ networks: tested }, pair)).toThrow(
    "network 'weight-decay' of runs/a was measured on test images, by which no strength may be chosen",
  );
  expect(() => matchedStrength({ networks }, { ...pair, tuned: 'weight-deca' })).toThrow(
    "no measured network has the regularizer 'weight-deca'",
  );
  const two = [...networks, network('rep-spectral', 0, 0.9, validated({ 'rep-spectral': 1 }))];
  expect(() => matchedStrength({ networks: two }, pair)).toThrow('have several strengths: 0.01, 1');
});
