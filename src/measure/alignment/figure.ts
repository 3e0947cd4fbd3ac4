import { type DrawnFigure, type Panel, WIDTH, widthOf } from '../../plot/figure.js';
import { caption, curves, framed, Plot, panel, type Series, thinned } from '../../plot/panels.js';
import { classStyle } from '../../plot/style.js';
import { number } from '../../plot/table.js';
import { groups } from '../networks/groups.js';
import type { NetworkReport, Report } from '../networks/record.js';
import type { Alignment } from './alignment.js';

const POINTS = 160;
const SMALL = 0.02; // standard deviation of a start that the paper would draw in figure A.1; its starts are 0.001 and 0.1

/** The alignment over the training of one network that began with small, or with large, weights. */
export const alignment =
  (start: 'small' | 'large') =>
  (report: Report): DrawnFigure | null => {
    const networks = report.networks.filter(
      ({ alignments = [] }) => alignments.length > 0 && spreadOf(alignments[0]!) < SMALL === (start === 'small'),
    );
    const network = groups({ ...report, networks })[0]?.networks[0];
    return network ? draw(network) : null;
  };

function draw({ alignments = [], seed, classes }: NetworkReport): DrawnFigure {
  const [first, last] = [alignments[0]!, alignments.at(-1)!];
  const plane = first.features.every((feature) => feature.length === 2);
  const shown = plane ? moments(alignments) : [];
  const names = first.weights.map((_, k) => classes[k] ?? `class ${k}`);
  const xLog = last.number > 50 * Math.max(1, alignments[1]?.number ?? 1);
  const common = { width: WIDTH.half, height: 270, x: xLog ? 'update + 1 (log scale)' : 'update', xLog };
  const lost = series(alignments, xLog, ({ loss }) => loss, { light: '#333333', dark: '#d6d6d6', dash: 'none' });
  return {
    title: `Last-layer alignment from a start of standard deviation ${number(spreadOf(first), 2)}`,
    panels: [
      ...shown.map((moment) => circle(moment)),
      {
        ...curves(
          names.map((_, k) => series(alignments, xLog, ({ cosines }) => cosines[k]!, classStyle(k))),
          { ...common, label: 'cosine of weight vector and class feature', scale: 'linear', domain: [-1.04, 1.04] },
        ),
        ...(plane && { heading: 'Over the training' }),
      },
      curves([lost], { ...common, label: 'cross-entropy loss', scale: 'linear' }),
    ],
    columns: 4,
    legend: names.map((label, k) => ({ label, style: classStyle(k), mark: 'line' })),
    reading: `${plane ? `Circles: the class features, which stay where they are${simplex(first) ? ', 120° apart on the unit circle' : ''}; arrows: the weight vectors of the readout, scaled to the longest of the moment, whose length is stated. ` : ''}Below: their cosine, class by class, and the loss over the updates${xLog ? ', counted from 1 for the log scale' : ''}. One training (seed ${seed}).`,
    outcome: `cosines from ${first.cosines.map((c) => number(c, 2)).join(', ')} at update ${first.number} to ${last.cosines.map((c) => number(c, 4)).join(', ')} at update ${last.number}; loss ${number(first.loss)} to ${number(last.loss)}.`,
  };
}

function series(
  all: readonly Alignment[],
  xLog: boolean,
  of: (at: Alignment) => number,
  style: Series['style'],
): Series {
  const points = all.map((at) => ({ x: at.number + (xLog ? 1 : 0), y: of(at) }));
  return { style, points: xLog ? evenlyInLog(points) : thinned(points, POINTS) };
}

/** Points that are some way apart on a log axis, and the last: early ones stay, late ones are thinned. */
function evenlyInLog<T extends { readonly x: number }>(points: readonly T[]): T[] {
  const apart = points.at(-1)!.x ** (1 / POINTS);
  let next = 0;
  return points.filter((point, i) => {
    if (point.x < next && i < points.length - 1) return false;
    next = point.x * apart;
    return true;
  });
}

/** The first record, the one where the vectors have turned half way, one between in order of size, and the last. */
function moments(all: readonly Alignment[]): Alignment[] {
  const turned = ({ cosines }: Alignment) => cosines.reduce((sum, c) => sum + c, 0) / cosines.length;
  const [first, last] = [all[0]!, all.at(-1)!];
  const half = (turned(first) + turned(last)) / 2;
  const turning = all.find((at) => at !== first && turned(at) >= half) ?? last;
  const middle = Math.sqrt(Math.max(1, turning.number) * last.number);
  const between = all.find(({ number: update }) => update >= middle) ?? last;
  return [...new Set([first, turning, between, last])].sort((a, b) => a.number - b.number);
}

function circle({ number: update, weights, features }: Alignment): Panel {
  const longest = Math.max(...weights.map((row) => Math.hypot(...row)), 1e-30);
  const width = widthOf(4);
  return panel({
    ...framed(width, width + 34, [36, 2, 2, 2]),
    ariaLabel: `Update ${update}: weight vectors, the longest ${number(longest)}, and class features in the plane`,
    x: { domain: [-1.3, 1.3], axis: null },
    y: { domain: [-1.3, 1.3], axis: null },
    marks: [
      Plot.line(ring, { x: '0', y: '1', stroke: 'currentColor', strokeOpacity: 0.25 }),
      Plot.ruleX([0], { stroke: 'currentColor', strokeOpacity: 0.15 }),
      Plot.ruleY([0], { stroke: 'currentColor', strokeOpacity: 0.15 }),
      ...features.map((feature, k) => {
        const { light } = classStyle(k);
        return Plot.dot([feature], {
          x: '0',
          y: '1',
          r: 7,
          fill: light,
          fillOpacity: 0.3,
          stroke: light,
          strokeWidth: 1.5,
        });
      }),
      ...weights.map(([x = 0, y = 0], k) => {
        const arrow = { stroke: classStyle(k).light, strokeWidth: 2.5, headLength: 5, inset: 0 };
        return Plot.arrow([{ x1: 0, y1: 0, x2: x / longest, y2: y / longest }], {
          x1: 'x1',
          y1: 'y1',
          x2: 'x2',
          y2: 'y2',
          ...arrow,
        });
      }),
      caption(`update ${update}`, { dy: -34, fontWeight: 600 }),
      caption(`longest ‖W‖ ${number(longest)}`, { dy: -18 }),
    ],
  });
}

const ring = Array.from({ length: 73 }, (_, i) => [Math.cos((i * Math.PI) / 36), Math.sin((i * Math.PI) / 36)]);

function spreadOf({ weights }: Alignment): number {
  const values = weights.flat();
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / Math.max(1, values.length));
}

/** Whether three features of the plane are a simplex equiangular tight frame: of length 1, 120° apart. */
function simplex({ features }: Alignment): boolean {
  const product = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  return features.every((a, k) => features.every((b, l) => Math.abs(product(a, b) - (k === l ? 1 : -0.5)) < 0.01));
}
