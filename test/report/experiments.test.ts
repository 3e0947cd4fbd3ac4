import { expect, test } from 'vitest';
import * as paper from '../../pipelines/shared/paper.js';
import xorPipeline from '../../pipelines/xor.js';
import { comparisons } from '../../src/measure/networks/comparison.js';
import { groups } from '../../src/measure/networks/groups.js';
import type { Report } from '../../src/measure/networks/record.js';
import type { Figure } from '../../src/plot/figure.js';
import { compose } from '../../src/plot/figure-file.js';
import { darkRules, markStyle } from '../../src/plot/style.js';
import { figures } from '../../src/report/figures.js';
import { reportJson } from '../../src/report/json.js';
import { reportHtml } from '../../src/report/report.js';
import { verdict } from '../../src/report/verdict.js';
import { report as plainReport } from './example.js';
import { barlowNetwork, FINETUNED, imageNetwork, transferNetwork, transfers } from './made-up/images.js';
import { METHODS } from './made-up/parts.js';
import { alignmentNetwork, trackedNetwork, xorNetwork } from './made-up/plane.js';

/** What the pipelines ask for, by their names. */
const requests: NonNullable<Report['figures']> = {
  xor: paper.xor,
  mnist: paper.mnist,
  'cifar10-resnet18': paper.resnet18,
  'cifar10-barlow': paper.barlow,
  'finetune-cifar10': paper.finetuneCifar10,
  'finetune-folder': paper.finetuneFolder,
  alignment: paper.alignment,
  tracking: paper.tracking,
};
const report: typeof plainReport = (networks, more) => plainReport(networks, { figures: requests, ...more });

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

const transfer = report(transfers(10), { pipeline: 'finetune-cifar10' });
const folders = report(
  ['dogs', 'flowers'].flatMap((setting) =>
    (['none', 'rep-spectral'] as const).flatMap((pretrained) =>
      [0, 1].map((seed) => transferNetwork(pretrained, 'none', seed, { pipeline: 'finetune-folder', setting })),
    ),
  ),
  { pipeline: 'finetune-folder' },
);
const barlow = report(
  (['none', 'rep-spectral'] as const).map((method) => barlowNetwork(method, 0)),
  { pipeline: 'cifar10-barlow' },
);

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
    ...['distances', 'thresholds', 'bounds', 'figure-e1-sigma', 'robust-accuracy', 'learning'],
  ]);
});

test('every figure of the image experiments', () => {
  const planes = ['plane-boundaries', 'plane-volume', 'plane-top-eigenvalue'];
  expect(ids(mnist)).toEqual([
    ...['figure-4-robustness', 'figure-5-readout', 'distances', 'thresholds', 'bounds'],
    ...['figure-e4-pictures', 'sigma', 'robust-accuracy', ...planes, 'learning'],
  ]);
  expect(ids(images('cifar10-resnet18'))).toEqual([
    ...['figure-6b-robustness', 'figure-6a-distances', 'figure-e5-thresholds', 'pictures', 'sigma'],
    ...['readout', 'robust-accuracy', 'bounds', ...planes, 'learning'],
  ]);
});

test('every figure of appendix A', () => {
  expect(ids(starts)).toEqual(['figure-a1-alignment-small-start', 'figure-a2-alignment-large-start']);
  expect(ids(tracked)).toEqual(
    expect.arrayContaining(['figure-a3a-tracking', 'figure-a3b-boundary-snapshots', 'figure-a4-tracking-images']),
  );
});

test('every figure of pretraining without labels and of transfer', () => {
  expect(ids(barlow).slice(0, 3)).toEqual(['figure-7b-robustness', 'online-readout', 'figure-7a-distances']);
  expect(ids(transfer)).toEqual([
    ...['figure-8-transfer-distances', 'figure-e6-transfer-accuracies'],
    ...['distances', 'thresholds', 'robust-accuracy', 'bounds', 'learning'],
  ]);
  expect(ids(folders)[0]).toBe('figure-e7-transfer');
  const { panels } = figure(folders, 'figure-e7-transfer');
  expect(panels.map(({ heading }) => heading)).toEqual(['dogs', undefined, 'flowers', undefined]);
});

test('the six combinations: a bar each and a dot for every network, by fine-tuning and within it by pretraining', () => {
  const { panels, outcome, legend } = figure(transfer, 'figure-8-transfer-distances');
  expect(legend.map(({ label, mark }) => [label, mark])).toEqual([
    ['pretrained without a regularizer', 'frame'],
    ['pretrained with rep-spectral', 'square'],
  ]);
  expect(panels[0]!.svg.match(/<circle/g)).toHaveLength(60);
  const heights = [...panels[0]!.svg.matchAll(/<rect height="([^"]+)"/g)].map(([, height]) => Number(height));
  const means = [...outcome.matchAll(/([a-z-]+ > [a-z-]+) (\d\.\d{3}) ±/g)];
  expect(heights.map((height) => height / heights[0]!)).toEqual(
    means.map(([, , value]) => expect.closeTo(Number(value) / Number(means[0]![2]), 1)),
  );
  expect(means.map(([, name]) => name)).toEqual([
    ...['none > none', 'rep-spectral > none', 'none > rep-spectral', 'rep-spectral > rep-spectral'],
    ...['none > batch-spectral-shrinkage', 'rep-spectral > batch-spectral-shrinkage'],
  ]);
  expect(outcome).toContain('Greatest: rep-spectral > none.');
  expect(outcome).toContain(
    '(paired t, n = 10 seeds, 95 % interval of each alone, p by itself and with Holm’s correction over the 36 tests of this report): rep-spectral less none +',
  );
});

test('what is fine-tuned is compared with both stages plain, and with one of them plain and the other the same', () => {
  const pairs = new Set(comparisons(transfer).map(({ a, b }) => `${a.regularizer} | ${b.regularizer}`));
  expect([...pairs].sort()).toEqual(
    [
      ...['none > rep-spectral', 'none > batch-spectral-shrinkage'].map((name) => `${name} | none > none`),
      ...FINETUNED.map((name) => `rep-spectral > ${name} | none > none`),
      'rep-spectral > rep-spectral | none > rep-spectral',
      'rep-spectral > batch-spectral-shrinkage | none > batch-spectral-shrinkage',
      'rep-spectral > rep-spectral | rep-spectral > none',
      'rep-spectral > batch-spectral-shrinkage | rep-spectral > none',
    ].sort(),
  );
  expect(verdict(transfer)).toMatch(/^rep-spectral > none has the largest .* the unregularized network has/i);
});

test('six combinations have six looks, on white and on a dark page; those of one pretraining share its hue', () => {
  const styles = groups(transfer).map(({ regularizer }) => markStyle(regularizer));
  for (const key of ['light', 'dark'] as const) expect(new Set(styles.map((each) => each[key])).size).toBe(6);
  expect(markStyle('rep-spectral > none')).toEqual(markStyle('rep-spectral'));
  for (const { light, dark } of styles) expect(darkRules()).toContain(`[fill="${light}"]{fill:${dark}}`);
});

test('a readout while the representation is learned stands beside the untrained network, each with its interval', () => {
  const { outcome, legend } = figure(barlow, 'online-readout');
  const { accuracy, lower, upper } = barlow.networks[0]!.probes!.at(-1)!;
  const shown = [accuracy, lower, upper].map((value) => (100 * value).toFixed(1));
  expect(outcome).toContain(`none ends at ${shown[0]} % (95 % interval ${shown[1]} % to ${shown[2]} %)`);
  expect(outcome).toContain('On the untrained network: 36.0 % (95 % interval 35.1 % to 36.9 %).');
  expect(outcome).toContain(
    "Readouts are fitted by scikit-learn's default, at most 100 iterations. 2 of 42 fits stopped before they converged (90 to 100 iterations).",
  );
  expect(legend.map(({ label }) => label)).toEqual(['none', 'rep-spectral', 'untrained network']);
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
  for (const of of [xor, mnist, starts, tracked, transfer, folders, barlow]) {
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

test('the page has the tables: comparisons over seeds, and a reference beside comparable networks', () => {
  const references = { xor: xorPipeline.reference! };
  const html = reportHtml({ ...xor, references }, drawn(xor));
  expect(html).toContain('paired t, n = 2 seeds');
  expect(html).toContain('clean: rep-spectral less none');
  expect(html).toContain('Beside the authors&#39; protocol');
  expect(/Clean XOR.*?<\/table>/s.exec(html)?.[0]).toMatch(/>clean: rep-spectral<.*>3\.21<.*>0\.842 ± 0\.124</s);
  expect(/Clean XOR.*?<\/table>/s.exec(html)?.[0]).not.toContain('noisy');
  const others = [{ epochs: 3000 }, { config: { ...xor.networks[0]!.config, gamma: 1 } }, { pipeline: 'own' }];
  for (const other of [{}, ...others]) {
    const page = reportHtml(
      report(
        xor.networks.map((network) => ({ ...network, ...other })),
        { references },
      ),
      [],
    );
    expect([other, page.includes('Beside the authors&#39; protocol')]).toEqual([
      other,
      Object.keys(other).length === 0,
    ]);
  }
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
