import { expect, test } from 'vitest';
import { frontOf, rankedReport, settingRanking } from '../../src/measure/networks/ranking.js';
import type { LoggedResult } from '../../src/measure/networks/record.js';
import { reportJson } from '../../src/report/json.js';
import { reportHtml } from '../../src/report/report.js';
import { rankingLines } from '../../src/report/tables.js';
import { network, report } from './example.js';

/** Networks of a sweep over γ, two seeds each; accuracy and mean Δx by regularizer and γ. */
const sweep = () => {
  const conditions = ['0.1', '0.2'].map((gamma) => ({ setting: `gamma=${gamma}`, values: [gamma], runs: [] }));
  const networks = conditions.flatMap(({ setting }) =>
    [0, 1].flatMap((seed) => {
      const of = (regularizer: string, accuracy: number, distance: number) =>
        network(regularizer, seed, [distance], {
          setting,
          testAccuracy: accuracy,
          results: {
            'tests.accuracy': { value: accuracy, better: 'higher', unit: 'fraction' },
            'tests.loss': { value: 1 - accuracy, better: 'lower' },
            'updates.rate': { value: 0.1 },
          },
        });
      const strong = setting === 'gamma=0.2';
      return [of('none', 0.9 + seed / 100, 1), of('rep-spectral', strong ? 0.8 : 0.95, strong ? 3 : 2)];
    }),
  );
  return report(networks, { differences: [{ pipeline: 'mnist', keys: ['gamma'], conditions }] });
};

const placesBy = (best: string) =>
  settingRanking(rankedReport(sweep(), best))!.placed.map(({ place, group, values, group: { networks } }) => [
    place,
    group.regularizer,
    values[0],
    networks.length,
  ]);

test('settings stand in order of the measure; baselines that γ leaves as they are have one place', () => {
  const places = [
    [1, 'rep-spectral', '0.1', 2],
    [2, 'none', 'any', 2],
    [3, 'rep-spectral', '0.2', 2],
  ];
  expect(placesBy('tests.accuracy')).toEqual(places);
  expect(placesBy('tests.loss')).toEqual(places); // of which lower is better
  expect(placesBy('usual')).toEqual(places);
});

test('baselines that came out otherwise under another value have a place each', () => {
  const differing = sweep();
  const networks = differing.networks.map((one, i) =>
    i === 0 ? { ...one, results: { ...one.results, 'tests.loss': { value: 7, better: 'lower' as const } } } : one,
  );
  const { placed } = settingRanking(rankedReport({ ...differing, networks }, 'tests.accuracy'))!;
  expect(placed.map(({ values }) => values[0])).toEqual(['0.1', '0.1', '0.2', '0.2']);
});

test('a result that is missing, or that does not say which values are better, is named with those that serve', () => {
  expect(() => rankedReport(sweep(), 'tests.acuracy')).toThrow("no network has a result 'tests.acuracy'");
  expect(() => rankedReport(sweep(), 'tests.acuracy')).toThrow(
    expect.objectContaining({ remedy: expect.stringMatching(/did you mean 'tests.accuracy'\? .*tests.loss$/) }),
  );
  expect(() => rankedReport(sweep(), 'updates.rate')).toThrow('does not declare whether higher or lower is better');
});

test('without a test accuracy the default is another measurement of the trained networks, which is named, and never one of the training', () => {
  const of = (results: Record<string, LoggedResult>) =>
    rankedReport(report([network('none', 0, [1], { results })], { notes: ['a note'] }), 'usual');
  const loss: LoggedResult = { value: 1, better: 'lower', role: 'training', headline: true };
  const trained = { 'updates.epochLoss': loss, 'sigmas.sigma.readout': { ...loss, role: 'spectrum' as const } };
  const only = of(trained);
  expect([only.rankedBy, only.notes[1]]).toEqual([
    undefined,
    'Settings are not ranked: nothing but the training was measured. To rank by one of updates.epochLoss, sigmas.sigma.readout: --best.',
  ]);
  const attack: LoggedResult = { value: 1, better: 'higher', role: 'attack', headline: true };
  const validations: LoggedResult = { value: 1, better: 'higher', role: 'test', headline: true };
  const more = of({ ...trained, 'attacks.distance': attack, 'validations.accuracy': validations });
  expect([more.rankedBy, more.notes[1]]).toEqual([
    'validations.accuracy',
    expect.stringMatching(/^Settings are ranked by validations.accuracy, for no test accuracy was measured\. .*--best/),
  ]);
  expect(of({ ...trained, 'attacks.distance': attack }).rankedBy).toBe('attacks.distance');
});

test('the front holds what nothing surpasses in both accuracy and distance', () => {
  const front = frontOf(settingRanking(rankedReport(sweep(), 'usual'))!);
  expect(front.map(({ values }) => values[0])).toEqual(['0.2', '0.1']);
});

test('the page, the JSON and the terminal have the same places, and all else is folded away', () => {
  const ranked = rankedReport(sweep(), 'tests.accuracy');
  const page = reportHtml(ranked);
  const [table, first, rest, verdict] = [
    'Which setting',
    'id="settings"',
    '<details class="rest">',
    'class="verdict"',
  ].map((text) => page.indexOf(text));
  expect([table! > 0, table! < first!, first! < rest!, rest! < verdict!]).toEqual([true, true, true, true]);
  const { ranking } = JSON.parse(reportJson(ranked));
  expect([ranking.by, ranking.places[0].setting, ranking.places[1].setting]).toEqual([
    'tests.accuracy',
    { gamma: '0.1' },
    { gamma: 'any' },
  ]);
  expect(rankingLines(ranked)[2]).toMatch(/^1 +rep-spectral +0\.1 +2 +95\.00 ± 0\.00 +2\.000 ± 0\.000$/);
  expect(reportHtml(sweep())).not.toContain('Which setting');
});
