import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { choose } from '../../src/measure/attack/choose.js';
import { groups } from '../../src/measure/networks/report-groups.js';
import { look } from '../../src/plot/colors.js';
import { compose } from '../../src/plot/compose.js';
import { imageShape } from '../../src/plot/figures-image.js';
import { png } from '../../src/plot/png.js';
import { raster } from '../../src/plot/raster.js';
import { logTicks } from '../../src/plot/ticks.js';
import { figures } from '../../src/report/figures.js';
import { network, pictured, report } from './example.js';

const attack = { iterations: 40, samples: [pictured(0, 1.5), pictured(1, 2.5)] };
const full = report([network('none', 0, [], { attack }), network('rep-spectral', 0, [], { attack })]);
const ids = (of: typeof full) => figures(of).map(({ id }) => id);

test('figures carry the number that the paper gives them for this task, and are the same bytes each time', () => {
  expect(ids(full)).toEqual(['figure-4-robustness', 'distances', 'bounds', 'figure-e4-pictures', 'sigma', 'learning']);
  expect(figures(full).map(compose)).toEqual(figures(full).map(compose));
});

test('a figure without numbers is left out: points of the plane, no attack, nothing at all', () => {
  const points = { sampleShape: [2], classes: ['0', '1'] };
  const drawn = ['figure-1-trade-off', 'mean-distances', 'distances', 'bounds', 'sigma', 'learning'];
  expect(ids(report([network('none', 0, [1, 2], points)]))).toEqual(drawn);
  const bare = { attack: null, sigma: {}, curves: {} };
  expect(ids(report([network('none', 0, [], bare)]))).toEqual(['figure-4-robustness']);
  expect(ids(report([]))).toEqual([]);
});

test('each pipeline of a report has figures of its own', () => {
  const mixed = report([network('none', 0, [1]), network('none', 0, [1], { pipeline: 'xor/clean' })]);
  expect(ids(mixed).filter((id) => id.startsWith('sigma'))).toEqual(['sigma-mnist']);
  expect(ids(mixed)).toContain('figure-e1-sigma-xor-clean');
});

test('what was pretrained without labels stands beside figure 7, or beside none', () => {
  const drawn = (pipeline: string) =>
    ids(report(['none', 'rep-spectral'].map((kind) => network(kind, 0, [], { pipeline, attack })))).join(' ');
  expect(drawn('cifar10-barlow')).toMatch(/^figure-7b-robustness figure-7a-distances bounds/);
  expect(drawn('cifar10-simclr')).toMatch(/^robustness distances bounds/);
});

test('values that cannot be drawn stop no figure', () => {
  const curves = { 'training loss': [0, -1, Number.NaN, 0.5].map((value, epoch) => ({ epoch, value })) };
  const drawn = figures(report([network('none', 0, [0, 0], { curves, testAccuracy: null })]));
  expect(
    drawn
      .map(compose)
      .join()
      .match(/NaN|Infinity|undefined/),
  ).toBeNull();
});

test('a regularizer keeps its color and dash in every figure', () => {
  const { light } = look('rep-spectral');
  for (const figure of figures(full))
    expect([figure.id, compose(figure).includes(`"${light}"`)]).toEqual([figure.id, true]);
  expect(look('something-new')).toEqual(look('something-new'));
});

test('a name with markup in it still makes SVG that a parser takes', async () => {
  const drawn = figures(
    report([network('<a> & "b"', 0, [1, 2], { sigma: { '<w>': full.networks[0]!.sigma.hidden1! } })]),
  );
  for (const figure of drawn) expect((await raster(compose(figure), 0.1)).length).toBeGreaterThan(100);
});

test('text is drawn without any font of the machine', async () => {
  const svg = (text: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="20"><text y="15" font-family="system-ui, sans-serif">${text}</text></svg>`;
  const [empty, words] = [await raster(svg('')), await raster(svg('7 → 3, Δσ'))];
  expect(words.length).toBeGreaterThan(empty.length + 200);
});

test('pictures show the same samples under every regularizer, of different labels first', () => {
  const samples = [3, 13, 5].map((index) => pictured(index, 1));
  const networks = ['none', 'rep-spectral'].map((name) => network(name, 0, [], { attack: { iterations: 1, samples } }));
  const choice = choose(groups(report(networks)), 2);
  expect(choice?.rows.map((row) => row.samples.map(({ index }) => index))).toEqual([
    [3, 5],
    [3, 5],
  ]);
});

test.each([
  [[784], [28, 28, 1]],
  [
    [28, 28],
    [28, 28, 1],
  ],
  [
    [32, 32, 3],
    [32, 32, 3],
  ],
  [[2], null],
  [[4], null],
  [[30], null],
])('samples of shape %j are pictures of %j', (shape, wanted) => {
  expect(imageShape(shape)).toEqual(wanted);
});

test('PNG: signature, size, and pixels as they came', () => {
  const bytes = png(2, 1, Uint8Array.of(1, 2, 3, 250, 251, 252));
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([2, 1]);
  const data = bytes.indexOf('IDAT') + 4;
  expect([...inflateSync(bytes.subarray(data, data + bytes.readUInt32BE(data - 8)))]).toEqual([
    0, 1, 2, 3, 250, 251, 252,
  ]);
  expect(bytes.subarray(-12).toString('hex')).toBe('0000000049454e44ae426082'); // an empty chunk, its CRC as in the standard
});

test('log axes: ones, twos and fives over few decades, powers of ten over many', () => {
  expect(logTicks([0.02, 1])).toEqual([0.02, 0.05, 0.1, 0.2, 0.5, 1]);
  expect(logTicks([0.002, 0.5])).toEqual([0.003, 0.01, 0.03, 0.1, 0.3]);
  expect(logTicks([1e-6, 1])).toEqual([1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1]);
  expect(logTicks([])).toEqual([]);
});
