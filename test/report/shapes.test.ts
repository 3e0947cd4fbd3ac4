import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { thresholds } from '../../src/measure/attack/thresholds.js';
import { margins, middleOf } from '../../src/measure/geometry/chosen.js';
import { classesOf, map } from '../../src/measure/geometry/figures-map.js';
import type { Geometry } from '../../src/measure/networks/record.js';
import { curves } from '../../src/plot/curves.js';
import { density } from '../../src/plot/density.js';
import { heatMap } from '../../src/plot/heat-map.js';
import { network, report } from './example.js';

/** Four cells by two: class 1 right of x = 0, class 0 left of it. */
const halves: Geometry = {
  ...{ number: 1, epoch: 1, kind: 'grid', xMin: -2, xMax: 2, yMin: 0, yMax: 2, columns: 4, rows: 2 },
  points: [{ x: -1.5, y: 0.5, label: 0 }],
  classes: [0, 0, 1, 1, 0, 0, 1, 1],
  margin: [-3, -1, 1, 3, -3, -1, 1, 3],
  logVolume: [0, 0, 0, 0, 1, 1, 1, Number.NaN],
  topEigenvalue: [1, 1, 1, 1, 1, 1, 1, 1],
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
  const middle = 26 + (218 - 26 - 6) / 2;
  expect(svg).toContain(`${middle},`);
  expect(map({ ...halves, classes: new Float32Array(8) }, options).svg).not.toContain('aria-label="contour"');
});

test('cells without a prediction have no class', () => {
  expect(classesOf({ ...halves, classes: [-1, 1, 0, 1, 1, 1, 1, 1] })).toEqual([0, 1]);
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

test('what a log scale cannot show is left out, with the rest drawn', () => {
  const points = [0, 1, Number.NaN, 0.1].map((y, x) => ({ x, y }));
  const look = { light: '#123456', dark: '#abcdef', dash: 'none' };
  const { svg } = curves([{ look, points }], { label: 'loss', x: 'epoch', width: 300, height: 200, scale: 'log' });
  expect(svg).toContain('#123456');
  expect(svg).not.toMatch(/NaN|Infinity/);
  expect(curves([], { label: 'loss', x: 'epoch', width: 300, height: 200, scale: 'linear' }).svg).not.toMatch(
    /NaN|Inf/,
  );
});

test('a sample that never flipped is beyond every threshold; too few samples make no figure', () => {
  const distances = [1, 2, 3, 4, 5, 6, 7, 8];
  const drawn = thresholds(report([network('none', 0, distances), network('rep-spectral', 0, [...distances, null])]))!;
  expect(drawn.outcome).toContain('none at 0, rep-spectral at 15');
  expect(thresholds(report([network('none', 0, [1, 2, 3])]))).toBeNull();
});
