import { expect, test } from 'vitest';
import { comparisons, tested } from '../../../src/measure/networks/comparison.js';
import { groups, settingsOf } from '../../../src/measure/networks/groups.js';
import { exactMean } from '../../../src/measure/networks/summary.js';
import { holm } from '../../../src/plot/statistics.js';
import { reportJson } from '../../../src/report/json.js';
import { reportHtml } from '../../../src/report/report.js';
import { network, report, sample } from '../../report/example.js';

const accuracy = (of: ReturnType<typeof comparisons>) =>
  of.filter(({ measure }) => measure.name === 'Test accuracy, %');

test('paired over the seeds that both have: difference, t, p, and for how many the former is greater', () => {
  const networks = [0, 1, 2, 3].flatMap((seed) => [
    network('none', seed, [1], { testAccuracy: 0.9 + seed / 100 }),
    network('rep-spectral', seed, [1], { testAccuracy: 0.9 + seed / 100 + [0.01, 0.02, 0.03, -0.01][seed]! }),
  ]);
  const [pair] = accuracy(comparisons(report(networks)));
  expect(pair!.difference).toBeCloseTo(0.0125, 12);
  expect(pair!.test).toMatchObject({ n: 4, paired: true, greater: 3, freedom: 3 });
  expect(pair!.test!.t).toBeCloseTo(1.46385, 5); // scipy.stats.ttest_rel
  expect(pair!.test!.p).toBeCloseTo(0.239443, 5);
});

test('seeds that are not shared are compared unpaired; one seed tells nothing', () => {
  const of = (left: number[], right: number[]) =>
    accuracy(
      comparisons(
        report([
          ...left.map((seed) => network('none', seed, [1], { testAccuracy: 0.9 + seed / 100 })),
          ...right.map((seed) => network('rep-spectral', seed, [1], { testAccuracy: 0.95 + seed / 90 })),
        ]),
      ),
    ).map(tested);
  expect(of([0, 1], [2, 3])).toEqual(['Welch’s t, n = 2 seeds']);
  expect(of([0], [0])).toEqual(['one seed: seeds cannot tell']);
});

test('p is corrected for every test of the report, in table, caption and JSON alike', () => {
  const networks = [0, 1, 2, 3].flatMap((seed) =>
    ['none', 'll-spectral', 'rep-spectral'].map((name, i) =>
      network(name, seed, [1 + i + Math.sin(3 * seed + i)], {
        testAccuracy: 0.9 + (i * seed) / 100 + Math.cos(seed) / 50,
      }),
    ),
  );
  const whole = report(networks);
  const all = comparisons(whole);
  expect(all.length).toBe(9); // three pairs in accuracy, Δx and its lower bound
  const ps = all.map(({ test }) => test!.p!);
  expect(all.map(({ corrected }) => corrected)).toEqual(holm(ps));
  const { correction, comparisons: written } = JSON.parse(reportJson(whole));
  expect(correction).toEqual({ method: 'Holm', tests: 9 });
  expect(written.map((each: { pCorrected: number }) => each.pCorrected)).toEqual(holm(ps));
  const html = reportHtml(whole);
  expect(html).toContain('then p with Holm’s correction over the 9 tests of this report');
  expect(html).toContain('p by itself and with Holm’s correction over the 9 tests of this report');
});

test('every method against the unregularized one, rep-spectral against all, within a setting only', () => {
  const networks = ['clean', 'noisy'].flatMap((setting) =>
    ['none', 'll-spectral', 'rep-spectral'].map((name) => network(name, 0, [1], { setting })),
  );
  const pairs = accuracy(comparisons(report(networks))).map(({ setting, a, b }) => [
    setting,
    a.regularizer,
    b.regularizer,
  ]);
  expect(pairs).toEqual(
    ['clean', 'noisy'].flatMap((setting) => [
      [setting, 'll-spectral', 'none'],
      [setting, 'rep-spectral', 'none'],
      [setting, 'rep-spectral', 'll-spectral'],
    ]),
  );
});

test('groups are of one setting, named where there are several, in the order of the runs', () => {
  const networks = ['clean', 'clean, decay 1e-4', 'noisy', 'noisy, decay 1e-4'].map((setting) =>
    network('none', 0, [1], { setting }),
  );
  expect(settingsOf(networks)).toEqual(['clean', 'clean, decay 1e-4', 'noisy', 'noisy, decay 1e-4']);
  expect(groups(report(networks)).map(({ label }) => label)[1]).toBe('clean, decay 1e-4: none');
  expect(groups(report(networks.slice(0, 1)))[0]!.label).toBe('none');
});

test('the exact distance is of the samples that the attack has a distance of', () => {
  const exact = [0.5, 1, 9].map((distance, index) => ({ index, label: index, distance }));
  const samples = [sample(0, 0.6), sample(1, 1.1), sample(2, 3, { predicted: 5, outcome: 'misclassified' })];
  expect(exactMean(network('none', 0, [], { exact, attack: { iterations: 40, samples } }))).toBe(0.75);
  expect(exactMean(network('none', 0, [], { exact, attack: null }))).toBeCloseTo(3.5, 12);
  expect(exactMean(network('none', 0, []))).toBeNull();
});
