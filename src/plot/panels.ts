import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { FONT, type Panel } from './figure.js';
import { indexedPng } from './image.js';
import { robustRange } from './robust-range.js';
import type { MarkStyle } from './style.js';
import { escaped, minus, number } from './table.js';

/** The marks, for those who draw. */
export { Plot };

/** The size, margins and label of a panel. */
interface PanelOptions extends Plot.PlotOptions {
  readonly width: number;
  readonly height: number;
  /** A description for a reader who cannot see the drawing. */
  readonly ariaLabel: string;
}

/** Draws with Observable Plot, on a document of linkedom's: the one door to both. */
export function panel({ ariaLabel, ...options }: PanelOptions): Panel {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const drawn = Plot.plot({
    style: { fontFamily: FONT, fontSize: '12px' },
    ...options,
    document: document as unknown as NonNullable<Plot.PlotOptions['document']>,
  });
  // The label is put in here, for linkedom does not escape attributes as XML asks.
  const svg = (drawn as unknown as { readonly outerHTML: string }).outerHTML
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replace('<svg ', `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escaped(ariaLabel)}" `)
    .replace(/<(?!svg)[^>]+>/g, rounded);
  return { svg, width: options.width, height: options.height };
}

/** Coordinates to a tenth of a pixel: finer ones would double a file for no visible difference. */
function rounded(tag: string): string {
  return tag.replace(/(?<!opacity=")-?\d+\.\d{2,}/g, (digits) => String(Number(Number(digits).toFixed(1))));
}

/** The size of a panel, and its margins in the order of CSS. */
export const framed = (width: number, height: number, [top, right, bottom, left]: readonly number[]) => {
  return { width, height, marginTop: top!, marginRight: right!, marginBottom: bottom!, marginLeft: left! };
};

/** A line of text on a panel, in its upper left corner unless the options say otherwise. */
export const caption = (text: string, options: Plot.TextOptions = {}): Plot.Markish =>
  Plot.text([text], { frameAnchor: 'top-left', text: (t: string) => t, ...options });

/** A picture of so many pixels about a point. */
export const image = (src: string, x: number, y: number, options: Plot.ImageOptions): Plot.Markish =>
  Plot.image([src], { x: () => x, y: () => y, src: (s: string) => s, preserveAspectRatio: 'none', ...options });

/** Ticks of a log axis: ones, twos and fives over two decades, ones and threes over three, powers of ten beyond. */
export function logTicks(values: readonly number[]): number[] {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return [];
  const [least, most] = positive.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [
    Infinity,
    0,
  ] as [number, number]);
  const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const stride = Math.max(1, Math.ceil((to - from) / 6));
  const leading = [[], [1, 2, 5], [1, 2, 5], [1, 3]][to - from] ?? [1]; // d3 leaves fives unlabeled over three decades
  const ticks: number[] = [];
  for (let exponent = from; exponent <= to; exponent += stride) {
    for (const digit of leading) ticks.push(Number(`${digit}e${exponent}`)); // read, not multiplied: 0.3 stays 0.3
  }
  return ticks.filter((tick) => tick >= least * 0.999 && tick <= most * 1.001);
}

/** A tick as a plain number where that is short. */
export function plain(value: number): string {
  const short = value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5);
  return minus(short ? value.toExponential(0).replace('e+', 'e') : String(value));
}

/** A line through points in order of x, with the range about it where one is given. */
export interface Series {
  readonly style: MarkStyle;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly band?: readonly { readonly x: number; readonly low: number; readonly high: number }[];
  /** One of many: thin, pale and solid. */
  readonly thin?: boolean;
  /** Each point has a dot. */
  readonly dots?: boolean;
  /** How the run went on that another was forked from. */
  readonly dotted?: boolean;
}

/** The options of a panel of curves. */
export interface Curves {
  readonly label: string;
  readonly ariaLabel?: string;
  readonly x: string;
  readonly width: number;
  readonly height: number;
  readonly scale: 'log' | 'linear';
  /** Whether x has a log scale; points at x ≤ 0 are then left out. */
  readonly xLog?: boolean;
  readonly domain?: readonly [number, number];
  /** A vertical rule, and its label. */
  readonly rules?: readonly { readonly x: number; readonly text: string }[];
}

/**
 * Curves in one frame: thin ones and ranges behind, the others in front, the first of them foremost; values outside of a scale are left
 * out. Where few outliers would take most of an axis that is not given, the panel has a robust drawing besides.
 */
export function curves(all: readonly Series[], options: Curves): Panel {
  const values = all.flatMap(({ points, band = [] }) => [
    ...points.map(({ y }) => y),
    ...band.flatMap(({ low, high }) => [low, high]),
  ]);
  const whole = framedCurves(all, options);
  const domain = options.domain === undefined ? robustRange(values, options.scale) : null;
  return domain === null ? whole : { ...whole, robust: framedCurves(all, { ...options, domain, clipped: true }).svg };
}

const RULE = 14; // pixels of a rule's label, above the frame

function framedCurves(all: readonly Series[], options: Curves & { readonly clipped?: boolean }): Panel {
  const { label, x, width, height, scale, xLog = false, rules = [], domain } = options;
  const clip = options.clipped ? { clip: 'frame' as const } : {};
  const isShown = (value: number, log: boolean) => Number.isFinite(value) && (!log || value > 0);
  const log = scale === 'log';
  const drawn = all.map((series) => ({
    ...series,
    points: series.points.filter((point) => isShown(point.x, xLog) && isShown(point.y, log)),
    band: (series.band ?? []).filter((at) => isShown(at.x, xLog) && isShown(at.low, log) && isShown(at.high, log)),
  }));
  const points = drawn.flatMap((series) => series.points);
  const [from, to] = [Math.min(...points.map((at) => at.x)), Math.max(0, ...points.map((at) => at.x))];
  const [first, last] = [xLog && to > 0 ? from : 0, to || 1];
  const inside = rules.filter((rule) => rule.x > first && rule.x < last);
  const values = drawn.flatMap((series) => [
    ...series.points.map((point) => point.y),
    ...series.band.flatMap(({ low, high }) => [low, high]),
  ]);
  return panel({
    ...framed(width, height, [30 + RULE * inside.length, 20, 42, 52]),
    ariaLabel: options.ariaLabel ?? label,
    x: {
      label: x,
      labelAnchor: 'center',
      labelArrow: 'none',
      ticks: width / 70,
      ...(xLog
        ? { type: 'log' as const, ticks: logTicks(points.map((at) => at.x)), tickFormat: plain, domain: [first, last] }
        : { domain: [first, last] }),
    },
    y: {
      label,
      grid: true,
      labelArrow: 'none',
      ...(domain && { domain: [...domain] }),
      ...(log
        ? { type: 'log' as const, ticks: logTicks(domain ?? values), tickFormat: plain }
        : { nice: domain === undefined, ticks: 6 }),
    },
    marks: [
      Plot.ruleX(inside, { x: 'x', stroke: 'currentColor', strokeOpacity: 0.55, strokeDasharray: '4 3' }),
      ...drawn.map(({ band, style: { light } }) =>
        Plot.areaY(band, { x: 'x', y1: 'low', y2: 'high', fill: light, fillOpacity: 0.1, ...clip }),
      ),
      // Edges, for where several ranges lie over one another their colors are no longer told apart.
      ...drawn.flatMap(({ band, style: { light } }) =>
        ['low', 'high'].map((y) =>
          Plot.line(band, { x: 'x', y, stroke: light, strokeOpacity: 0.4, strokeWidth: 0.8, ...clip }),
        ),
      ),
      ...drawn
        .filter(({ thin }) => thin)
        .map((line) =>
          Plot.line(line.points, {
            x: 'x',
            y: 'y',
            stroke: line.style.light,
            strokeOpacity: 0.35,
            strokeWidth: 1,
            ...clip,
          }),
        ),
      ...drawn
        .filter(({ dotted }) => dotted)
        .map(({ points: line, style: { light } }) =>
          Plot.line(line, { x: 'x', y: 'y', stroke: light, strokeWidth: 1.6, strokeDasharray: DOTS, ...clip }),
        ),
      // The first in front: a branch has the values of the unregularized network up to where it begins.
      ...drawn
        .filter(({ thin, dotted }) => !thin && !dotted)
        .reverse()
        .map(({ points: line, style: { light, dash } }) =>
          Plot.line(line, { x: 'x', y: 'y', stroke: light, strokeWidth: 2.2, strokeDasharray: dash, ...clip }),
        ),
      ...drawn
        .filter(({ dots }) => dots)
        .map(({ points: line, style: { light } }) =>
          Plot.dot(line, { x: 'x', y: 'y', r: 2.2, fill: light, stroke: null, ...clip }),
        ),
      ...inside.map((rule, i) => {
        const leftward = rule.x > last / 2;
        return Plot.text([rule], {
          x: 'x',
          text: 'text',
          frameAnchor: 'top',
          lineAnchor: 'bottom',
          dy: -3 - RULE * (inside.length - 1 - i),
          fill: 'currentColor',
          textAnchor: leftward ? 'end' : 'start',
          dx: leftward ? -5 : 5,
        });
      }),
    ],
  });
}

/** The dashes of how a run went on that another was forked from. */
export const DOTS = '1 3';

/** Every k-th point and the last, so that about `left` remain. */
export function thinned<T>(points: readonly T[], left: number): readonly T[] {
  const stride = Math.ceil(points.length / left);
  return points.filter((_, i) => i % stride === 0 || i === points.length - 1);
}

/** The range of values that a color scale spans, over all panels that share it. */
export interface Scale {
  readonly low: number;
  readonly high: number;
}

// Viridis at nine stations: even in lightness, so it reads in gray print and to color-blind readers.
const STATIONS = ['440154', '472d7b', '3b528b', '2c728e', '21918c', '28ae80', '5ec962', 'addc30', 'fde725'];
const LEVELS = 128;
const UNKNOWN = LEVELS; // the palette's last entry: where there is no value
const GRAY = [150, 150, 150];
const SIDE = 120; // pixels that a map is interpolated to, at least its own cells

const PALETTE = Uint8Array.from([...Array.from({ length: LEVELS }, (_, i) => color(i / (LEVELS - 1))), GRAY].flat());

function color(share: number): number[] {
  const at = share * (STATIONS.length - 1);
  const below = Math.min(STATIONS.length - 2, Math.floor(at));
  const channel = (station: number, c: number) => Number.parseInt(STATIONS[station]!.slice(2 * c, 2 * c + 2), 16);
  return [0, 1, 2].map((c) =>
    Math.round(channel(below, c) + (at - below) * (channel(below + 1, c) - channel(below, c))),
  );
}

/**
 * A grid of values (row-major, y ascending) as a data URI whose top row has the greatest y, linear between cells.
 *
 * A value that is not finite is gray, and so is a pixel that would be interpolated from one.
 */
export function heatMap(values: ArrayLike<number>, columns: number, rows: number, { low, high }: Scale): string {
  const [width, height] = [Math.max(SIDE, columns), Math.max(SIDE, rows)];
  const indices = new Uint8Array(width * height);
  const station = (pixel: number, pixels: number, cells: number): [number, number, number] => {
    const at = Math.min(cells - 1, Math.max(0, ((pixel + 0.5) / pixels) * cells - 0.5)); // a cell's value is at its middle
    const below = Math.floor(at);
    return [below, Math.min(cells - 1, below + 1), at - below];
  };
  for (let y = 0; y < height; y++) {
    const [south, north, up] = station(height - 1 - y, height, rows);
    for (let x = 0; x < width; x++) {
      const [west, east, right] = station(x, width, columns);
      const along = (row: number) =>
        (1 - right) * values[row * columns + west]! + right * values[row * columns + east]!;
      const share = ((1 - up) * along(south) + up * along(north) - low) / (high - low || 1);
      indices[y * width + x] = Number.isFinite(share)
        ? Math.round(Math.min(1, Math.max(0, share)) * (LEVELS - 1))
        : UNKNOWN;
    }
  }
  return `data:image/png;base64,${indexedPng(width, height, indices, PALETTE).toString('base64')}`;
}

/** The bar that maps colors to values. */
export function colorBar({ low, high }: Scale, label: string): Panel {
  const ramp = Array.from({ length: LEVELS }, (_, i) => i);
  const src = heatMap(ramp, LEVELS, 1, { low: 0, high: LEVELS - 1 });
  const [width, height, side] = [460, 52, 8];
  return panel({
    ...framed(width, height, [20, side, 20, side]),
    ariaLabel: `Colors: ${label}, from ${number(low)} (dark) to ${number(high)} (light)`,
    x: { domain: [low, high], label: null, ticks: 6, tickSize: 4 },
    y: { domain: [0, 1], axis: null },
    marks: [
      image(src, (low + high) / 2, 0.5, { width: width - 2 * side, height: height - 40 }),
      caption(label, { dy: -16, fontWeight: 600 }),
    ],
  });
}
