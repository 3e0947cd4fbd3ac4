import { expect, test } from 'vitest';
import type { NetworkReport } from '../../src/measure/networks/record.js';
import { figures } from '../../src/report/figures.js';
import { remarks, verdict } from '../../src/report/verdict.js';
import { quantity, record, z } from '../../src/storage/record.js';
import { network, report, sample } from './example.js';

test('one seed: the interval is over test samples, and says so', () => {
  const said = verdict(report([network('none', 0, [1, 1.2, 1.1]), network('rep-spectral', 0, [2, 2.1, 2.2])]));
  expect(said).toContain('rep-spectral has the largest mean adversarial distance: Δx = 2.100 ± 0.058');
  expect(said).toContain('paired over 3 test samples), more than the choice of test samples explains');
  expect(said).toContain('With one seed this says nothing of how another training would come out.');
});

test('an interval with zero in it tells nothing apart', () => {
  const said = verdict(report([network('none', 0, [1, 2, 3]), network('rep-spectral', 0, [2.5, 1, 3.5])]));
  expect(said).toContain('which includes zero: these results do not tell the two apart');
});

test('several seeds: the interval is over seeds, paired where both sides share them', () => {
  const networks = [0, 1, 2].flatMap((seed) => [
    network('none', seed, [1 + seed / 10]),
    network('rep-spectral', seed, [1.5 + seed / 10 + (seed === 1 ? 0.02 : 0)]),
  ]);
  const said = verdict(report(networks));
  expect(said).toContain(
    'paired over 3 seeds; p = 0.00035 with Holm’s correction over the 2 tests of this report), more than the seeds explain',
  );
  expect(said).toContain('With 3 seeds the intervals are rough.');
});

test('an interval that leaves zero out tells nothing apart where too many tests were made for it', () => {
  const shifts = [0.5, 0.02, 0.4, 0.25, 0.1, 0.4];
  const networks = shifts.flatMap((shift, seed) => [
    network('none', seed, [1 + seed / 10]),
    network('ll-spectral', seed, [0.9 + seed / 9], { testAccuracy: 0.97 - seed / 500 }),
    network('rep-spectral', seed, [1 + seed / 10 + 0.5 * shift], { testAccuracy: 0.98 - seed ** 2 / 1000 }),
  ]);
  const said = verdict(report(networks));
  expect(said).toMatch(
    /95 % interval 0\.0\d+ to 0\.\d+, paired over 6 seeds; p = 0\.0[5-9]\d? with Holm’s correction over the 9 tests of this report/,
  );
  expect(said).toContain('leaves zero out for one test alone, but not for as many as were made');
});

test('the unregularized network may be the best, and the runner-up is named', () => {
  const said = verdict(report([network('none', 0, [2, 2.2]), network('rep-spectral', 0, [1, 1.1])]));
  expect(said).toContain('The unregularized network has the largest mean adversarial distance');
  expect(said).toContain('Second is rep-spectral, with 1.05');
});

test('nothing attacked, nothing said', () => {
  expect(verdict(report([network('none', 0, [null])]))).toContain('nothing can be said');
  expect(verdict(report([]))).toBe('The report holds no network.');
  expect(verdict(report([network('none', 0, [1, 1])]))).toContain('there is no other to compare it with');
});

test('distances go by the attack that they are by; where it found nothing, what others found is no Δx', () => {
  const samples = [sample(0, 1), sample(1, 1)];
  const own = { name: 'descent', kind: 'white-box', iterations: 7, samples } as const;
  expect(verdict(report([network('none', 0, [], { attack: own })]))).toContain(
    'Δx = 1.000 ± 0.000 by descent (white-box) (mean',
  );
  const portfolio = { samples: 2, attacks: [], meanBest: 0.5 };
  const nothing = { ...own, samples: [sample(0, null), sample(1, null)], portfolio };
  const said = verdict(report([network('none', 0, [], { attack: nothing })]));
  expect(said).toContain('The first attack, descent (white-box), found no adversarial sample for any network');
  expect(said).toContain('is the best Δx');
});

test('misclassified samples count in no mean; samples that never flip are owned up to', () => {
  const samples = [
    sample(0, 1),
    sample(1, 3),
    sample(2, 0, { predicted: 5, outcome: 'misclassified' }),
    sample(3, null),
  ];
  const all = report([network('none', 0, [], { attack: { iterations: 40, samples } })]);
  expect(verdict(all)).toContain('Δx = 2.0 ± 1.0');
  expect(remarks(all)).toEqual([expect.stringContaining('1 of 3 correctly classified samples')]);
});

test('a seed that was run twice is said, and counts once in an interval', () => {
  const networks = [network('none', 0, [1, 1.1]), network('none', 0, [1, 1.1]), network('rep-spectral', 0, [2, 2.2])];
  expect(remarks(report(networks))).toEqual([expect.stringContaining('seed 0 is there more than once')]);
  expect(verdict(report(networks))).toContain('paired over 2 test samples');
  const best = [
    network('none', 0, [1, 1.1]),
    network('rep-spectral', 0, [2, 2.2]),
    network('rep-spectral', 0, [2, 2.2]),
  ];
  expect(verdict(report(best))).toContain('± standard error over 2 test samples of one network');
});

test('networks that were not attacked are told from those that could not be fooled', () => {
  const said = (attack: NetworkReport['attack']) => verdict(report([{ ...network('none', 0, []), attack }]));
  expect(said(null)).toBe('No attack counts here, so nothing is said of their robustness.');
  const { description } = record({ name: 'FGSM', role: 'attack', fields: { index: z.int(), distance: quantity() } });
  const own = { ...network('none', 0, []), attack: null, measurements: { fgsm: { description, records: [] } } };
  expect(verdict(report([own]))).toBe(
    'The attack FGSM (stream fgsm) is shown as a measurement: to compare networks by it, its record needs label, predicted, outcome, queries too. No attack counts here, so nothing is said of their robustness.',
  );
  expect(figures(report([own])).map(({ id }) => id)).not.toContain('robustness');
  expect(figures(report([{ ...own, measurements: {} }])).map(({ id }) => id)).toContain('robustness');
  const missed = { ...sample(0, 1), outcome: 'never-flipped', distance: null };
  expect(said({ iterations: 40, samples: [missed] })).toContain('No adversarial sample was found for any network');
});
