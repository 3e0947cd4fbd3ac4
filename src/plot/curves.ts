import type { Panel } from './figure.js';
import { logTicks, Plot, panel, plain } from './panel.js';
import type { MarkStyle } from './style.js';

/** A line through points in order of x, with the range about it where one is given. */
export interface Series {
  readonly style: MarkStyle;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly band?: readonly { readonly x: number; readonly low: number; readonly high: number }[];
  /** One of many: thin, pale and solid. */
  readonly thin?: boolean;
}

/** What a panel of curves is told. */
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
  /** A vertical rule, and what it says. */
  readonly rules?: readonly { readonly x: number; readonly text: string }[];
}

/** Curves in one frame: thin ones and ranges behind, the others in front; what a scale cannot show is left out. */
export function curves(all: readonly Series[], options: Curves): Panel {
  const { label, x, width, height, scale, xLog = false, rules = [], domain } = options;
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
  const leftward = inside.some((rule) => rule.x > last / 2);
  const values = drawn.flatMap((series) => [
    ...series.points.map((point) => point.y),
    ...series.band.flatMap(({ low, high }) => [low, high]),
  ]);
  return panel({
    width,
    height,
    marginLeft: 52,
    marginTop: 30,
    marginBottom: 42,
    marginRight: 20,
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
        ? { type: 'log' as const, ticks: logTicks(values), tickFormat: plain }
        : { nice: domain === undefined, ticks: 6 }),
    },
    marks: [
      Plot.ruleX(inside, { x: 'x', stroke: 'currentColor', strokeOpacity: 0.55, strokeDasharray: '4 3' }),
      ...drawn.map(({ band, style: { light } }) =>
        Plot.areaY(band, { x: 'x', y1: 'low', y2: 'high', fill: light, fillOpacity: 0.16 }),
      ),
      ...drawn
        .filter(({ thin }) => thin)
        .map((line) =>
          Plot.line(line.points, { x: 'x', y: 'y', stroke: line.style.light, strokeOpacity: 0.35, strokeWidth: 1 }),
        ),
      ...drawn
        .filter(({ thin }) => !thin)
        .map(({ points: line, style: { light, dash } }) =>
          Plot.line(line, { x: 'x', y: 'y', stroke: light, strokeWidth: 2.2, strokeDasharray: dash }),
        ),
      Plot.text(inside.slice(0, 1), {
        x: 'x',
        text: 'text',
        frameAnchor: 'top',
        dy: 3,
        stroke: 'white',
        fill: 'currentColor',
        textAnchor: leftward ? 'end' : 'start',
        dx: leftward ? -5 : 5,
      }),
    ],
  });
}

/** Every k-th point and the last, so that about `left` remain. */
export function thinned<T>(points: readonly T[], left: number): readonly T[] {
  const stride = Math.ceil(points.length / left);
  return points.filter((_, i) => i % stride === 0 || i === points.length - 1);
}
