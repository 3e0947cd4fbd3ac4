import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { thresholds } from '../../src/measure/attack/distribution-figure.js';
import { choose } from '../../src/measure/attack/picture-figure.js';
import { bounds } from '../../src/measure/certificate/figure.js';
import { classesOf, map, margins, middleOf } from '../../src/measure/geometry/map.js';
import type { Geometry } from '../../src/measure/geometry/record.js';
import { groups } from '../../src/measure/networks/groups.js';
import { compose, raster } from '../../src/plot/figure-file.js';
import { imageShape, png } from '../../src/plot/image.js';
import { curves, heatMap, logTicks } from '../../src/plot/panels.js';
import { density, densityEnd } from '../../src/plot/statistics.js';
import { markStyle } from '../../src/plot/style.js';
import { figures } from '../../src/report/figures.js';
import { network, pictured, report } from './example.js';

const attack = { iterations: 40, samples: [pictured(0, 1.5), pictured(1, 2.5)] };
const full = report([network('none', 0, [], { attack }), network('rep-spectral', 0, [], { attack })]);
const ids = (of: typeof full) => figures(of).map(({ id }) => id);

test('the figures that a pipeline asks for come first, with its words; the others follow, the same bytes each time', () => {
  const asked = report(full.networks, {
    figures: {
      mnist: [
        { figure: 'pictures', number: 'E.4', paper: 'figure E.4 says so.' },
        { figure: 'learning', title: 'Curves' },
      ],
    },
  });
  expect(ids(asked)).toEqual([
    'figure-e4-pictures',
    'learning',
    'robustness',
    'distances',
    'robust-accuracy',
    'bounds',
    'sigma',
  ]);
  const [pictures, curves] = figures(asked);
  expect(pictures).toMatchObject({ title: expect.stringMatching(/^Figure E\.4: /), paper: 'figure E.4 says so.' });
  expect(curves).toMatchObject({ title: 'Curves', paper: null });
  expect(figures(asked).map((figure) => compose(figure))).toEqual(figures(asked).map((figure) => compose(figure)));
});

test('a figure asked for twice is drawn once for each set of networks that the requests come to', () => {
  const networks = [true, false].map((noisy) =>
    network('none', 0, [1, 2], { sampleShape: [2], config: { noisy }, setting: `noisy=${noisy}` }),
  );
  const requests = [
    { figure: 'mean-distances', where: { noisy: false }, number: '2' },
    { figure: 'mean-distances', number: 'E.2' },
  ];
  const drawn = (of: typeof networks) =>
    ids(report(of, { figures: { mnist: requests } })).filter((id) => id.includes('mean-distances'));
  expect(drawn(networks)).toEqual(['figure-2-mean-distances', 'figure-e2-mean-distances']);
  expect(drawn(networks.slice(1))).toEqual(['figure-2-mean-distances']);
  expect(drawn(networks.slice(0, 1))).toEqual(['figure-e2-mean-distances']);
});

test('a figure in the place of others is drawn only where a pipeline asks for it', () => {
  const networks = ['none > none', 'rep-spectral > none'].map((kind) => network(kind, 0, [1, 2]));
  const apart = ['transfer-distances', 'transfer-accuracies'];
  expect(ids(report(networks)).slice(0, 2)).toEqual(apart);
  const drawn = ids(report(networks, { figures: { mnist: [{ figure: 'transfer' }] } }));
  expect(drawn[0]).toBe('transfer');
  expect(drawn.filter((id) => apart.includes(id))).toEqual([]);
});

test('a figure without numbers is left out: points of the plane, no attack, nothing at all', () => {
  const points = { sampleShape: [2], classes: ['0', '1'] };
  const drawn = ['mean-distances', 'distances', 'robust-accuracy', 'bounds', 'sigma', 'learning'];
  expect(ids(report([network('none', 0, [1, 2], points)]))).toEqual(drawn);
  const bare = { attack: null, sigma: {}, curves: {} };
  expect(ids(report([network('none', 0, [], bare)]))).toEqual(['robustness']);
  expect(ids(report([]))).toEqual([]);
});

test('each pipeline of a report has figures of its own', () => {
  const mixed = report([network('none', 0, [1]), network('none', 0, [1], { pipeline: 'xor/clean' })], {
    figures: { 'xor/clean': [{ figure: 'sigma', number: 'E.1' }] },
  });
  expect(ids(mixed).filter((id) => id.startsWith('sigma'))).toEqual(['sigma-mnist']);
  expect(ids(mixed)).toContain('figure-e1-sigma-xor-clean');
});

test('values that cannot be drawn stop no figure', () => {
  const curves = { 'training loss': [0, -1, Number.NaN, 0.5].map((value, epoch) => ({ epoch, value })) };
  const drawn = figures(report([network('none', 0, [0, 0], { curves, testAccuracy: null })]));
  expect(
    drawn
      .map((figure) => compose(figure))
      .join()
      .match(/NaN|Infinity|undefined/),
  ).toBeNull();
});

test('a regularizer keeps its color and dash in every figure', () => {
  const { light } = markStyle('rep-spectral');
  for (const figure of figures(full))
    expect([figure.id, compose(figure).includes(`"${light}"`)]).toEqual([figure.id, true]);
  expect(markStyle('something-new')).toEqual(markStyle('something-new'));
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

/** Four cells by two: class 1 right of x = 0, class 0 left of it. */
const halves: Geometry = {
  number: 1,
  epoch: 1,
  kind: 'grid',
  xMin: -2,
  xMax: 2,
  yMin: 0,
  yMax: 2,
  columns: 4,
  rows: 2,
  points: [{ x: -1.5, y: 0.5, label: 0 }],
  classes: Float32Array.from([0, 0, 1, 1, 0, 0, 1, 1]),
  margin: Float32Array.from([-3, -1, 1, 3, -3, -1, 1, 3]),
  logVolume: Float32Array.from([0, 0, 0, 0, 1, 1, 1, Number.NaN]),
  topEigenvalue: Float32Array.from([1, 1, 1, 1, 1, 1, 1, 1]),
};
const names = (label: number) => `class ${label}`;
const options = { title: 'a map', width: 218, names, layer: 'classes' as const };

test('a cell lies about its middle, rows upwards', () => {
  expect(middleOf(halves, 0)).toEqual({ x: -1.5, y: 0.5 });
  expect(middleOf(halves, 7)).toEqual({ x: 1.5, y: 1.5 });
});

test('the margin of a point is to the nearest cell of another class; none where there is no other', () => {
  expect(margins(halves)).toEqual([2]);
  expect(margins({ ...halves, classes: new Float32Array(8) })).toEqual([]);
});

test('the boundary of two halves is the line between them, at both ends of the frame', () => {
  const { svg } = map(halves, options);
  const middle = 28 + (218 - 28 - 6) / 2;
  expect(svg).toContain(`${middle},`);
  expect(map({ ...halves, classes: new Float32Array(8) }, options).svg).not.toContain('aria-label="contour"');
});

test('cells without a prediction have no class', () => {
  expect(classesOf({ ...halves, classes: Float32Array.from([-1, 1, 0, 1, 1, 1, 1, 1]) })).toEqual([0, 1]);
});

test('a heat map has its greatest y on top, dark for low, light for high, and gray where there is no value', () => {
  const bytes = Buffer.from(heatMap(halves.logVolume, 4, 2, { low: 0, high: 1 }).split(',')[1]!, 'base64');
  const at = (type: string) => bytes.indexOf(type);
  const palette = (i: number) => [...bytes.subarray(at('PLTE') + 4 + 3 * i, at('PLTE') + 7 + 3 * i)];
  const length = bytes.readUInt32BE(at('IDAT') - 4);
  const pixels = inflateSync(bytes.subarray(at('IDAT') + 4, at('IDAT') + 4 + length));
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const color = (x: number, y: number) => palette(pixels[y * (width + 1) + 1 + x]!);
  expect(color(0, 0)).toEqual([0xfd, 0xe7, 0x25]);
  expect(color(0, height - 1)).toEqual([0x44, 0x01, 0x54]);
  expect(color(width - 1, 0)).toEqual([150, 150, 150]);
});

test('a density has an area of one, also of values close to zero', () => {
  const values = [0.01, 0.02, 0.05, 0.3, 0.4, 0.9, 1, 1.1];
  const points = density(values, 4, 400)!;
  const area = points.slice(1).reduce((sum, { x, y }, i) => sum + ((y + points[i]!.y) / 2) * (x - points[i]!.x), 0);
  expect(area).toBeCloseTo(1, 2);
  expect([density([1, 2], 3), density([1, 1, 1], 3)]).toEqual([null, null]);
});

test('a density ends where it has fallen to a small share of its peak', () => {
  const values = [0.6, 0.7, 0.9, 1, 1.2, 1.3, 2, 3.5];
  const points = density(values, densityEnd(values)!)!;
  const peak = Math.max(...points.map(({ y }) => y));
  expect(points.at(-1)!.y / peak).toBeLessThan(0.005);
  expect(density(values, 3.5)!.at(-1)!.y / peak).toBeGreaterThan(0.1); // at the greatest value it would be cut off
  expect(densityEnd([1, 1, 1])).toBeNull();
});

test('what a log scale cannot show is left out, with the rest drawn', () => {
  const points = [0, 1, Number.NaN, 0.1].map((y, x) => ({ x, y }));
  const style = { light: '#123456', dark: '#abcdef', dash: 'none' };
  const { svg } = curves([{ style, points }], { label: 'loss', x: 'epoch', width: 300, height: 200, scale: 'log' });
  expect(svg).toContain('#123456');
  expect(svg).not.toMatch(/NaN|Infinity/);
  expect(curves([], { label: 'loss', x: 'epoch', width: 300, height: 200, scale: 'linear' }).svg).not.toMatch(
    /NaN|Inf/,
  );
});

test('a fork is drawn on one axis with the run that it was forked from, and its update is marked', () => {
  const parent = network('none', 0, [1, 2]);
  const origin = { run: 'parent', update: 40, epoch: 4, curves: parent.curves, sigma: parent.sigma };
  const drawn = (own: typeof origin) => {
    const all = figures(report([{ ...parent, origin: own }]));
    return all.find(({ id }) => id === 'learning')!;
  };
  const [known, gone] = [drawn(origin), drawn({ ...origin, curves: {}, sigma: {} })];
  for (const { panels } of [known, gone]) for (const { svg } of panels) expect(svg).toContain('>fork at update 40<');
  expect(known.panels.map(({ svg }) => svg.split('stroke-dasharray="1 3"').length - 1)).toEqual([1, 1]);
  expect(known.reading).toContain('forked from parent; dotted: how that one went on');
  expect(gone.panels.some(({ svg }) => svg.includes('stroke-dasharray="1 3"'))).toBe(false);
  expect(gone.reading).toContain('forked from parent.');
});

test('lengths are in deviations where data are standardized, of attacks, bounds and maps alike', () => {
  const geometries = [{ ...halves, standardized: true as const }];
  const standard = { ...attack, standardized: true as const };
  const saying = (of: typeof full, words: string) =>
    figures(of).flatMap(({ id, reading }) => (reading.includes(words) ? [id] : []));
  const standardized = report([network('none', 0, [], { attack: standard, geometries })]);
  const plain = report([network('none', 0, [], { attack, geometries: [halves] })]);
  const measured = saying(plain, 'units of the input');
  expect(measured).toEqual(expect.arrayContaining(['boundaries', 'robustness', 'distances', 'bounds']));
  expect(saying(standardized, 'deviations of each feature')).toEqual(measured);
  expect(saying(standardized, 'units of the input')).toEqual([]);
});

test('a sample that never flipped is beyond every threshold; too few samples make no figure', () => {
  const distances = [1, 2, 3, 4, 5, 6, 7, 8];
  const drawn = thresholds(report([network('none', 0, distances), network('rep-spectral', 0, [...distances, null])]))!;
  expect(drawn.outcome).toContain('none at 0, rep-spectral at 15');
  expect(thresholds(report([network('none', 0, [1, 2, 3])]))).toBeNull();
});

test('both sides of each distance: the bound beside the attack, or that of a certificate of the same weights; their median ratio', () => {
  const certificate = (index: number, number: number, l2: number) => ({
    ...{ index, label: 0, predicted: 0, rival: 1, theta: 1, featureNorm: 1, marginOverReadoutNorm: 1, lipschitz: 1 },
    ...({ number, epoch: 1, outcome: 'certified', method: 'sdp', lemma1: 0.1 } as const),
    lower: { l1: l2, l2, linf: l2 },
    local: { l1: Number.NaN, l2: Number.NaN, linf: Number.NaN },
  });
  const samples = [pictured(0, 1.5), pictured(1, 2.5), pictured(2, 3)].map((one, i) => ({
    ...one,
    lower: i === 0 ? 1 : null,
    method: 'crown' as const,
  }));
  const certificates = [certificate(1, 7, 2), certificate(2, 6, 2)]; // the last one is of other weights
  const figure = bounds(
    report([network('none', 0, [], { attack: { iterations: 40, number: 7, samples }, certificates })]),
  )!;
  expect(figure.outcome).toBe('upper bound of Δx over the lower one, median: none 1.38 (n = 2).'); // of 1.5 and 1.25
  expect(figure.reading).toContain('proved, by linear relaxation (CROWN) or by semidefinite relaxation;');
});
