import { look } from '../../plot/colors.js';
import { density } from '../../plot/density.js';
import { type Figure, type Panel, regularizers, WIDTH } from '../../plot/figures-figure.js';
import { count, number } from '../../plot/format.js';
import { Plot, panel } from '../../plot/plot.js';
import { quantile } from '../../plot/report-statistics.js';
import type { Report } from '../networks/record.js';
import { type Group, groups } from '../networks/report-groups.js';
import { correctSamples, foundSamples } from '../networks/report-summary.js';
import { entitled } from '../paper.js';
import { iterations } from './mean-distances.js';

/** The distances of one group, all its networks together. */
interface Distances {
  readonly group: Group;
  /** In order of size. */
  readonly values: readonly number[];
  /** Correctly classified samples attacked, whether or not an adversarial one was found. */
  readonly attacked: number;
}

const STEPS = 200; // of a curve of shares
const FRAME = { width: WIDTH.half, height: 290, marginLeft: 52, marginTop: 30, marginBottom: 42 };

/** How adversarial distances are spread over test samples: their density, and the share below Δx (figure 6a of the paper). */
export function distribution(report: Report): Figure | null {
  const all = groups(report).flatMap((group): Distances[] => {
    const values = group.networks.flatMap((network) => foundSamples(network).map((sample) => sample.distance));
    const attacked = group.networks.reduce((sum, network) => sum + correctSamples(network).length, 0);
    return values.length > 0 ? [{ group, values: values.sort((a, b) => a - b), attacked }] : [];
  });
  if (all.length === 0) return null;
  const most = Math.max(...all.map(({ values }) => values.at(-1)!));
  const dense = densities(all, most);
  return {
    ...entitled('distribution', report.pipeline, 'distances', 'Distribution of adversarial distances'),
    panels: [...(dense ? [dense] : []), shares(all, most)],
    columns: 2,
    legend: regularizers(all.map(({ group }) => group)),
    reading: `${dense ? 'Left: density of Δx over test samples, the seeds of a regularizer pooled (Gaussian kernel, bandwidth by Silverman’s rule; ticks below: tenth percentile and median). Right' : 'Drawn'}: the share of correctly classified samples whose Δx is at most that; a curve further to the right is more robust, one that ends below 100 % has samples that never flipped. Δx: l2, in units of the input, Tangent Attack${iterations(report)}.`,
    outcome: `tenth percentile and median: ${all
      .map(
        ({ group, values }) =>
          `${group.label} ${number(quantile(values, 0.1))} and ${number(quantile(values, 0.5))} (n = ${count(values.length)})`,
      )
      .join('; ')}.`,
  };
}

function densities(all: readonly Distances[], most: number): Panel | null {
  const drawn = all.flatMap(({ group, values }) => {
    const points = density(values, most * 1.06);
    return points ? [{ group, values, points }] : [];
  });
  if (drawn.length === 0) return null;
  const top = Math.max(...drawn.flatMap(({ points }) => points.map(({ y }) => y)));
  const depth = 0.05 * top; // of a regularizer's row of ticks, below zero
  return panel({
    ...FRAME,
    ariaLabel: `Density of the adversarial distance; medians: ${drawn.map(({ group, values }) => `${group.label} ${number(quantile(values, 0.5))}`).join(', ')}`,
    x: { label: 'adversarial distance Δx', domain: [0, most * 1.06], labelAnchor: 'center', labelArrow: 'none' },
    y: {
      label: 'density of test samples',
      domain: [-depth * drawn.length, top * 1.04],
      grid: true,
      labelArrow: 'none',
      ticks: evenTicks(top),
    },
    marks: [
      Plot.ruleY([0], { stroke: 'currentColor', strokeOpacity: 0.5 }),
      ...drawn.flatMap(({ group, values, points }, row) => {
        const { light, dash } = look(group.regularizer);
        const ticks = [quantile(values, 0.1)!, quantile(values, 0.5)!];
        return [
          Plot.areaY(points, { x: 'x', y: 'y', fill: light, fillOpacity: 0.07 }),
          Plot.line(points, { x: 'x', y: 'y', stroke: light, strokeWidth: 2, strokeDasharray: dash }),
          Plot.ruleX(ticks, {
            ...{ x: (x: number) => x, y1: () => -depth * row, y2: () => -depth * (row + 1) },
            ...{ stroke: light, strokeWidth: 2.5 },
          }),
        ];
      }),
    ],
  });
}

function shares(all: readonly Distances[], most: number): Panel {
  return panel({
    ...FRAME,
    ariaLabel: 'Share of test samples with an adversarial distance of at most Δx, per regularizer',
    x: { label: 'adversarial distance Δx', zero: true, nice: true, labelAnchor: 'center', labelArrow: 'none' },
    y: { label: 'samples with at most this Δx, %', domain: [0, 100], grid: true, labelArrow: 'none' },
    marks: all.map(({ group, values, attacked }) => {
      const { light, dash } = look(group.regularizer);
      const stride = Math.max(1, values.length / STEPS);
      const steps = Array.from({ length: Math.min(STEPS, values.length) }, (_, i) => {
        const rank = Math.min(values.length - 1, Math.ceil((i + 1) * stride) - 1);
        return { x: values[rank]!, y: (100 * (rank + 1)) / attacked };
      });
      const whole = [{ x: values[0]!, y: 0 }, ...steps, { x: most, y: steps.at(-1)!.y }];
      return Plot.line(whole, {
        ...{ x: 'x', y: 'y', curve: 'step-after' as const },
        ...{ stroke: light, strokeWidth: 2, strokeDasharray: dash },
      });
    }),
  });
}

/** Five ticks or so from 0 up, at ones, twos or fives. */
function evenTicks(top: number): number[] {
  const size = 10 ** Math.floor(Math.log10(top / 3));
  const step = [1, 2, 5, 10].map((digit) => digit * size).find((each) => top / each <= 6) ?? top;
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}
