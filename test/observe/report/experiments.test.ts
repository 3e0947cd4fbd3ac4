import { expect, test } from 'vitest';
import type { Report } from '../../../src/observe/report/data.js';
import { figures } from '../../../src/observe/report/figures/all.js';
import { compose } from '../../../src/observe/report/figures/compose.js';
import type { Figure } from '../../../src/observe/report/figures/figure.js';
import { reportHtml } from '../../../src/observe/report/html.js';
import { reportJson } from '../../../src/observe/report/json.js';
import { verdict } from '../../../src/observe/report/verdict.js';
import { report } from './example.js';
import { imageNetwork } from './made-up/images.js';
import { METHODS } from './made-up/parts.js';
import { alignmentNetwork, trackedNetwork } from './made-up/training.js';
import { xorNetwork } from './made-up/xor.js';

const SETTINGS = ['clean', 'noisy, decay 1e-4'];
const xor = report(
  SETTINGS.flatMap((setting) => METHODS.flatMap((method) => [0, 1].map((seed) => xorNetwork(method, seed, setting)))),
  { pipeline: 'xor' },
);
const images = (pipeline: string) =>
  report(
    METHODS.flatMap((method) => [0, 1].map((seed) => imageNetwork(pipeline, method, seed, 10))),
    { pipeline },
  );
const mnist = images('mnist');
const [starts, tracked] = [
  report([alignmentNetwork(0.001), alignmentNetwork(0.1)], { pipeline: 'alignment' }),
  report([trackedNetwork('tracking', false), trackedNetwork('tracking', true)]),
];

const known = new Map<Report, Figure[]>(); // drawing takes a second or so
const drawn = (of: Report): Figure[] => {
  if (!known.has(of)) known.set(of, figures(of));
  return known.get(of)!;
};
const ids = (of: Report) => drawn(of).map(({ id }) => id);
const figure = (of: Report, id: string) => drawn(of).find((each) => each.id === id)!;

test('every figure of the XOR experiment', () => {
  expect(ids(xor)).toEqual([
    ...['figure-1-trade-off', 'figure-2-mean-distances', 'figure-e2-mean-distances'],
    ...['figure-3a-boundaries', 'figure-e3-boundaries', 'figure-3b-volume', 'top-eigenvalue'],
    ...['distances', 'thresholds', 'bounds', 'figure-e1-sigma', 'learning'],
  ]);
});

test('every figure of the image experiments', () => {
  const planes = ['plane-boundaries', 'plane-volume', 'plane-top-eigenvalue'];
  expect(ids(mnist)).toEqual([
    ...['figure-4-robustness', 'figure-5-readout', 'distances', 'thresholds', 'bounds'],
    ...[...planes, 'figure-e4-pictures', 'sigma', 'learning'],
  ]);
  expect(ids(images('cifar10-resnet18'))).toEqual([
    ...['figure-6b-robustness', 'readout', 'figure-6a-distances', 'figure-e5-thresholds', 'bounds'],
    ...[...planes, 'pictures', 'sigma', 'learning'],
  ]);
});

test('every figure of appendix A', () => {
  expect(ids(starts)).toEqual(['figure-a1-alignment-small-start', 'figure-a2-alignment-large-start']);
  expect(ids(tracked)).toEqual(
    expect.arrayContaining(['figure-a3a-tracking', 'figure-a3b-boundary-snapshots', 'figure-a4-tracking']),
  );
});

test('a setting is headed in the figures and has a paragraph of the verdict', () => {
  expect(figure(xor, 'figure-e1-sigma').panels.map(({ heading }) => heading)).toEqual([
    ...['clean', undefined],
    ...['noisy, decay 1e-4', undefined],
  ]);
  expect(figure(xor, 'figure-3a-boundaries').panels.length).toBe(METHODS.length);
  const paragraphs = verdict(xor).split('\n');
  expect(paragraphs.map((text) => SETTINGS.findIndex((setting) => text.startsWith(`${setting}: `)))).toEqual([0, 1]);
});

test('captions hold the numbers that came out, and the files hold the captions', () => {
  const network = xor.networks[0]!;
  const { networks } = JSON.parse(reportJson(report([network], { pipeline: 'xor' })));
  const alone = figure(report([network], { pipeline: 'xor' }), 'figure-2-mean-distances');
  expect(alone.outcome).toContain(`none ${networks[0].summary.meanDistance.toFixed(3)}`);
  const svg = compose(alone);
  expect(svg).toContain('>Paper: </tspan>');
  expect(svg).toContain('>Here: </tspan>');
});

test('no number in a drawing is none', () => {
  for (const of of [xor, mnist, starts, tracked]) {
    for (const each of drawn(of)) {
      expect([each.id, /NaN|Infinity|undefined/.test(compose(each).replace(/base64,[^"]+/g, ''))]).toEqual([
        each.id,
        false,
      ]);
    }
  }
});

test('many seeds weigh little more than few: their curves are drawn as ranges', () => {
  const bytes = (seeds: number) => {
    const networks = Array.from({ length: seeds }, (_, seed) => xorNetwork('none', seed, 'clean'));
    return compose(figure(report(networks, { pipeline: 'xor' }), 'figure-e1-sigma')).length;
  };
  expect(bytes(40)).toBeLessThan(1.1 * bytes(4));
});

test('the page has the tables: comparisons over seeds, and the authors’ protocol beside ours', () => {
  const html = reportHtml(xor, drawn(xor));
  expect(html).toContain('paired t, n = 2 seeds');
  expect(html).toContain('clean: rep-spectral less none');
  expect(html).toContain('Beside the authors&#39; protocol');
  const short = report(xor.networks.map((network) => ({ ...network, epochs: 3000 })));
  expect(reportHtml(short, [])).not.toContain('Beside the authors&#39; protocol');
});

test('the JSON holds what was measured: setting, readout, exact distances, bounds, θx, tracks, cosines', () => {
  const [one] = JSON.parse(reportJson(xor)).networks;
  expect(one).toMatchObject({ setting: 'clean', readout: null, exact: { length: 4 } });
  expect(one.attack.samples[0]).toMatchObject({ theta: 0.5, featureNorm: 3, lower: expect.any(Number) });
  expect(one.geometries[0]).toMatchObject({ kind: 'grid', columns: 48, medianLogVolume: expect.any(Number) });
  const image = JSON.parse(reportJson(mnist)).networks[0];
  expect(image.readout).toMatchObject({ converged: true, attack: { iterations: 40, samples: { length: 10 } } });
  expect(image.certificates[0]).toMatchObject({
    lipschitz: 6,
    lowerL2: expect.any(Number),
    localLinf: expect.any(Number),
  });
  const [start] = JSON.parse(reportJson(report([alignmentNetwork(0.1)]))).networks;
  expect(start.alignments[0].cosines.length).toBe(3);
});
