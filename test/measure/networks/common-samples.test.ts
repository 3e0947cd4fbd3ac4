import { expect, test } from 'vitest';
import { withCommonSamples } from '../../../src/measure/networks/common-samples.js';
import { comparisons } from '../../../src/measure/networks/comparison.js';
import { reportJson } from '../../../src/report/json.js';
import { reportHtml } from '../../../src/report/report.js';
import { remarks, verdict } from '../../../src/report/verdict.js';
import { network, report, sample } from '../../report/example.js';

/** Two seeds of two networks; of each the distances by index, and the indices that it gets wrong. */
const networks = withCommonSamples(
  [0, 1].flatMap((seed) => {
    const add = seed / 100;
    const none = [sample(0, 1 + add), sample(1, 2 + add), sample(2, 3 + add), sample(3, 9 + add)];
    const rep = [
      sample(1, 2.5 + add),
      sample(2, null),
      sample(3, 9 + add, { predicted: 7 }),
      sample(0, 1.5 + add, { upper: 1 + add, by: 'DDN' }),
      sample(4, 8 + add),
    ];
    return [
      network('none', seed, [], { attack: { iterations: 40, samples: none } }),
      network('rep-spectral', seed, [], { attack: { iterations: 40, samples: rep } }),
    ];
  }),
);

test('common samples are those that all networks of a seed were attacked on, get right, and have a point of', () => {
  const [none, rep] = networks;
  const counts = { networks: 2, attacked: 4, correct: 3, samples: 2 };
  expect(none!.attack!.common).toEqual({ ...counts, meanDistance: 1.5, meanBest: 1.5, meanPixelDistance: null });
  expect(rep!.attack!.common).toEqual({ ...counts, meanDistance: 2, meanBest: 1.75, meanPixelDistance: null });
});

test('methods are compared over them beside their own samples, which say the reverse here; table, JSON and notes have the count', () => {
  const whole = report(networks);
  const differences = comparisons(whole).map(({ measure, difference }) => [measure.name, difference]);
  expect(Object.fromEntries(differences)['Mean Δx']).toBeCloseTo(4 - 15 / 4, 12);
  expect(Object.fromEntries(differences)['Mean Δx, common samples']).toBeCloseTo(0.5, 12);
  expect(JSON.parse(reportJson(whole)).networks[0].attack.common.samples).toBe(2);
  expect(reportHtml(whole)).toContain('1.500<br>2 samples');
  expect(verdict(whole)).toContain('Over common samples the difference is +0.5');
  expect(remarks(whole)).toContain(
    'Common samples of the networks of a seed: all 2 were attacked on 4 same images, get 3 of them right, and have an adversarial point of 2.',
  );
});

test('a network alone has none; networks of two settings, or of two seeds, are not compared', () => {
  const alone = withCommonSamples([
    network('none', 0, [1]),
    network('none', 1, [1]),
    network('rep-spectral', 0, [1], { setting: 'noisy' }),
    network('ll-spectral', 0, [], { attack: null }),
  ]);
  expect(alone.map(({ attack }) => attack?.common)).toEqual([undefined, undefined, undefined, undefined]);
});

test('distances in pixel units stand beside those of the input, and are not compared once more', () => {
  const samples = (far: number) => [0, 1].map((index) => sample(index, far, { pixelDistance: far / 5 }));
  const pixels = report(
    withCommonSamples([
      network('none', 0, [], { attack: { iterations: 40, samples: samples(1) } }),
      network('rep-spectral', 0, [], { attack: { iterations: 40, samples: samples(2) } }),
    ]),
  );
  const json = JSON.parse(reportJson(pixels)).networks[1];
  expect(json.summary.meanPixelDistance).toBeCloseTo(0.4, 12);
  expect(json.attack.samples[0].pixelDistance).toBeCloseTo(0.4, 12);
  expect(json.attack.common.meanPixelDistance).toBeCloseTo(0.4, 12);
  expect(reportHtml(pixels)).toContain('Mean Δx, pixel units');
  expect(comparisons(pixels).map(({ measure }) => measure.name)).not.toContain('Mean Δx, pixel units');
});
