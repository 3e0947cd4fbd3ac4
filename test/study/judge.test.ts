import { expect, test } from 'vitest';
import { BESIDE, VIEWS } from '../../src/study/distances.js';
import { judge } from '../../src/study/judge.js';
import { studyMeasure } from '../../src/study/measures.js';
import { effectInWords, reason } from '../../src/study/phrases.js';
import { study } from '../../src/study/study.js';
import { sample } from '../report/example.js';
import { asAccurate, bounded, cost, larger, networksOf, studyOf } from './example.js';

const wordOf = (claim: typeof larger, networks: ReturnType<typeof networksOf>) =>
  judge(studyOf(claim), networks)[0]!.word;

/** Noise that differs from seed to seed and is shared by the methods. */
const noise = (seed: number): number => Math.sin(7 * seed);

test('a gain in every seed holds, a loss fails, a wavering one is not told apart, and one seed tells nothing', () => {
  const gain = (by: (seed: number) => number, seeds = 6) =>
    networksOf(seeds, (method, seed) => ({ distances: [2 + noise(seed) + (method === 'none' ? 0 : by(seed)), 3] }));
  expect(
    wordOf(
      larger,
      gain((seed) => 0.3 + 0.01 * seed),
    ),
  ).toBe('holds');
  expect(
    wordOf(
      larger,
      gain((seed) => -0.3 - 0.01 * seed),
    ),
  ).toBe('fails');
  expect(
    wordOf(
      larger,
      gain((seed) => (seed % 2 ? 0.3 : -0.3)),
    ),
  ).toBe('not told apart');
  expect(
    wordOf(
      larger,
      gain(() => 0.3, 1),
    ),
  ).toBe('not told apart');
  expect(wordOf(larger, [])).toBe('not run');
});

test('seeds are compared in pairs: what they share is no noise', () => {
  const claims = judge(
    studyOf(larger),
    networksOf(4, (method, seed) => ({ distances: [10 * seed + (method === 'none' ? 0 : 0.1 + 0.001 * seed)] })),
  );
  const { estimate, means } = claims[0]!.comparisons[0]!.tests[0];
  expect(estimate).toMatchObject({ n: 4, paired: true, value: expect.closeTo(0.1015, 10) });
  expect(means).toEqual([expect.closeTo(15.1015, 10), 15]);
});

test('equal within the margin holds, beyond it fails', () => {
  const accuracies = (change: number) =>
    networksOf(5, (method, seed) => ({
      distances: [1],
      more: { testAccuracy: 0.9 + 0.001 * noise(seed) + (method === 'none' ? 0 : change + 0.0005 * noise(3 * seed)) },
    }));
  expect(wordOf(asAccurate, accuracies(0.001))).toBe('holds');
  expect(wordOf(asAccurate, accuracies(-0.05))).toBe('fails');
  expect(wordOf(asAccurate, accuracies(0.01))).toBe('not told apart');
});

test('a verdict that turns when distances are taken otherwise is named', () => {
  // By the Tangent Attack rep-spectral gains; a gradient finds points at half that distance under it.
  const networks = networksOf(6, (method, seed) => {
    const attacked = 2 + (method === 'none' ? 0 : 0.3 + 0.01 * noise(seed));
    const upper = method === 'none' ? attacked : attacked / 2;
    const samples = [sample(0, attacked, { upper, lower: 0.1 })];
    return { distances: [], more: { attack: { iterations: 40, samples } } };
  });
  const [claim] = judge(studyOf(larger), networks);
  expect(claim!.word).toBe('holds');
  expect(claim!.turned).toEqual(VIEWS.slice(2));
  expect(claim!.others.map(({ word }) => word)).toEqual(['holds', 'fails', 'fails']);
  expect(claim!.comparisons[0]!.beside[0]).toMatchObject({
    view: BESIDE[0],
    means: [expect.closeTo(0.1), expect.closeTo(0.1)],
    p: null,
  });
});

test('a claim of which a comparison is not run is not run, unless another is shown the other way round', () => {
  const other = (method: string) => ({ experiment: 'digits', method });
  const three: typeof larger = {
    ...larger,
    analyses: [
      ...larger.analyses,
      { test: 'greater', measure: 'Δx', a: other('rep-spectral'), b: other('ll-spectral > none') },
      { test: 'greater', measure: 'Δx', a: other('rep-spectral'), b: other('readout-spectral') },
    ],
  };
  const by = (gain: number) =>
    judge(
      studyOf(three),
      networksOf(6, (method, seed) => ({ distances: [2 + (method === 'none' ? 0 : gain + 0.01 * noise(seed))] })),
    )[0]!;
  expect(by(0.3).word).toBe('not run');
  expect(reason(by(0.3))).toBe(
    '1 of 3 comparisons has results; the claim is judged when all have. Of 3 comparisons 1 holds, 2 are not run.',
  );
  const lost = by(-0.3);
  expect(lost.word).toBe('fails');
  expect(lost.p).toBeCloseTo(3 * lost.comparisons[0]!.tests[0].p!, 12);
  expect(lost.comparisons[1]!.label).toBe('Δx: rep-spectral > ‘ll-spectral > none’ (digits)');
});

test('claims of one experiment are one family, and those of another count on the page alone', () => {
  const gain = networksOf(6, (method, seed) => ({
    distances: [2 + noise(seed) + (method === 'none' ? 0 : 0.1 + 0.1 * noise(3 * seed + 1))],
  }));
  const at = (method: string) => ({ experiment: 'letters', method });
  const elsewhere: typeof larger = {
    ...larger,
    id: 'elsewhere',
    analyses: [{ test: 'greater', measure: 'Δx', a: at('rep-spectral'), b: at('none') }],
  };
  const experiment = { pipeline: 'mnist', title: '', seeds: 6, cost };
  const two = study({
    name: 'two',
    experiments: { digits: experiment, letters: experiment },
    claims: [larger, { ...larger, id: 'again' }, elsewhere],
  });
  const claims = judge(two, [...gain, ...gain.map((one) => ({ ...one, experiment: 'letters' }))]);
  const { p } = claims[0]!.comparisons[0]!.tests[0];
  expect(p).toBeLessThan(0.2);
  expect(claims.map((one) => one.p! / p!)).toEqual([2, 2, 1].map((times) => expect.closeTo(times)));
  expect(claims.map(({ onPage }) => onPage.p! / p!)).toEqual([3, 3, 3].map((times) => expect.closeTo(times)));
});

test('over common images only those count that all networks of the seed get right', () => {
  const networks = networksOf(2, (method) => ({
    distances: [],
    more: {
      attack: { iterations: 40, samples: [sample(0, 1), sample(1, 9, method === 'none' ? { predicted: 5 } : {})] },
    },
  }));
  const [own, common] = judge(studyOf(larger), networks)[0]!.comparisons[0]!.tests;
  expect(own.means).toEqual([5, 1]);
  expect(common!.means).toEqual([1, 1]);
});

test('one image whose lower bound is above a point that was found refutes the lemma', () => {
  const networks = (lower: number) =>
    networksOf(1, () => ({ distances: [], more: { attack: { iterations: 40, samples: [sample(3, 1, { lower })] } } }));
  expect(wordOf(bounded, networks(0.9))).toBe('holds');
  const [claim] = judge(studyOf(bounded), networks(1.1));
  expect(claim).toMatchObject({ word: 'fails' });
  expect(claim!.comparisons[0]!.checked).toMatchObject({
    samples: 2,
    against: ['image 3 of none, seed 0, digits', 'image 3 of rep-spectral, seed 0, digits'],
  });
});

test('a check names how many of its experiments it was on', () => {
  const experiment = { pipeline: 'mnist', title: '', seeds: 1, cost };
  const two = study({
    name: 'two',
    experiments: { digits: experiment, letters: experiment },
    claims: [{ ...bounded, analyses: [{ test: 'every', check: 'lower ≤ upper', of: ['digits', 'letters'] }] }],
  });
  const [claim] = judge(
    two,
    networksOf(1, () => ({
      distances: [],
      more: { attack: { iterations: 40, samples: [sample(3, 1, { lower: 0.9 })] } },
    })),
  );
  const [comparison] = claim!.comparisons;
  expect(effectInWords(comparison!.tests[0], comparison!)).toBe('0 of 2 images lack it, in 1 of 2 experiments');
  expect(reason(claim!)).toContain('in 1 of 2 experiments (digits); the others are not run: none lacks it.');
});

test('σ since the burn-in, and along a series of settings', () => {
  const [{ network }] = networksOf(1, () => ({ distances: [1] })) as [ReturnType<typeof networksOf>[0]];
  const burnt = { ...network, burnIn: 8 };
  const peers = { ofSeed: [], all: [] };
  expect(studyMeasure('growth of σ of hidden1').of(burnt, peers)).toBeCloseTo(Math.log(3));
  expect(studyMeasure('σ of hidden1').of(burnt, peers)).toBe(3);
  expect(studyMeasure('σ of hidden9').of(burnt, peers)).toBeNull();
  const series = ['1', '2', '3'].map((setting) => ({ experiment: 'digits', setting, method: 'none' }));
  const swept = study({
    name: 'sweep',
    experiments: { digits: { pipeline: 'mnist', title: '', seeds: 4, settings: { 1: [], 2: [], 3: [] }, cost } },
    claims: [{ ...larger, analyses: [{ test: 'rising', measure: 'Δx', series }] }],
  });
  const networks = series.flatMap(({ setting }) =>
    networksOf(4, (_, seed) => ({ distances: [5 + Number(setting) + 0.1 * noise(seed * Number(setting))] })).map(
      (one) => ({ ...one, setting }),
    ),
  );
  expect(judge(swept, networks)[0]!.word).toBe('holds');
});

test('a study that names what there is not is refused', () => {
  expect(() => studyMeasure('Δ')).toThrow("there is no measure 'Δ'");
  const wrong = { ...larger, analyses: [{ ...larger.analyses[0]!, a: { experiment: 'digit', method: 'none' } }] };
  expect(() => studyOf(wrong as typeof larger)).toThrow("claim 'larger' is judged by experiment 'digit'");
  expect(() => studyOf(larger, larger)).toThrow("claim 'larger' is twice");
  expect(() => studyOf({ ...larger, analyses: [] })).toThrow('has no analysis');
});
