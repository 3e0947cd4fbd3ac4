import { look } from '../colours.js';
import type { Report } from '../data.js';
import { number } from '../format.js';
import { type Group, groups } from '../groups.js';
import { paperShowed } from '../paper.js';
import { quantile } from '../statistics.js';
import { correctSamples, foundSamples } from '../summary.js';
import { type Figure, type Panel, WIDTH } from './figure.js';
import { Plot, panel } from './plot.js';

/** The distances of one group, all its networks together. */
interface Distances {
  readonly group: Group;
  /** In order of size. */
  readonly values: readonly number[];
  /** Correctly classified samples attacked, whether or not an adversarial one was found. */
  readonly attacked: number;
}

const DOTS = 250; // drawn of a group; more would be a smear, and megabytes
const STEPS = 300;

/** How adversarial distances are spread over test samples: single samples with quartiles, and the share below Δx. */
export function distribution(report: Report): Figure | null {
  const all = groups(report).flatMap((group): Distances[] => {
    const values = group.networks.flatMap((network) => foundSamples(network).map((sample) => sample.distance));
    const attacked = group.networks.reduce((sum, network) => sum + correctSamples(network).length, 0);
    return values.length > 0 ? [{ group, values: values.sort((a, b) => a - b), attacked }] : [];
  });
  if (all.length === 0) return null;
  const thinned = all.some(({ values }) => values.length > DOTS);
  return {
    id: 'distances',
    title: 'Distribution of adversarial distances',
    panels: [samples(all), shares(all)],
    columns: 2,
    legend: all.map(({ group }) => group),
    reading: `Left: a dot for each correctly classified test sample${thinned ? ` (at most ${DOTS} a regulariser, evenly spaced in rank)` : ''}, the quartiles as ticks, the median longest. Right: the share of these samples whose adversarial distance is at most Δx; a curve further to the right is more robust, one that ends below 100 % has samples that never flipped.`,
    paper: paperShowed('distribution', report.pipeline),
    outcome: `Here, tenth percentile and median: ${all
      .map(
        ({ group, values }) => `${group.label} ${number(quantile(values, 0.1))} and ${number(quantile(values, 0.5))}`,
      )
      .join('; ')}.`,
  };
}

function samples(all: readonly Distances[]): Panel {
  return panel({
    width: WIDTH.half,
    height: 290,
    marginLeft: 118,
    marginTop: 12,
    marginBottom: 42,
    ariaLabel: `Adversarial distance of single test samples; medians: ${all.map(({ group, values }) => `${group.label} ${number(quantile(values, 0.5))}`).join(', ')}`,
    x: {
      label: 'adversarial distance Δx of a test sample',
      grid: true,
      zero: true,
      nice: true,
      labelAnchor: 'center',
      labelArrow: 'none',
    },
    y: { type: 'linear', domain: [all.length - 0.5, -0.5], axis: null },
    marks: all.flatMap(({ group, values }, row) => {
      const { light } = look(group.regulariser);
      const stride = Math.max(1, values.length / DOTS);
      const dots = Array.from({ length: Math.min(DOTS, values.length) }, (_, i) => {
        // The golden ratio spreads neighbours in rank over the height of the row: no randomness, no overlap.
        return { x: values[Math.floor(i * stride)]!, y: row + 0.5 * (((i * 0.618034) % 1) - 0.5) };
      });
      const quartiles = [0.25, 0.5, 0.75].map((p) => {
        const reach = p === 0.5 ? 0.38 : 0.28;
        return { x: quantile(values, p)!, low: row - reach, high: row + reach };
      });
      return [
        Plot.text([{ y: row }], { y: 'y', text: () => group.label, frameAnchor: 'left', textAnchor: 'end', dx: -10 }),
        Plot.dot(dots, { x: 'x', y: 'y', r: 2.2, fill: light, fillOpacity: 0.5 }),
        Plot.ruleX(
          quartiles.filter((_, i) => i !== 1),
          { x: 'x', y1: 'low', y2: 'high', stroke: light, strokeWidth: 2 },
        ),
        Plot.ruleX([quartiles[1]!], { x: 'x', y1: 'low', y2: 'high', stroke: light, strokeWidth: 3.5 }),
      ];
    }),
  });
}

function shares(all: readonly Distances[]): Panel {
  const most = Math.max(...all.map(({ values }) => values.at(-1)!));
  return panel({
    width: WIDTH.half,
    height: 290,
    marginLeft: 52,
    marginTop: 30,
    marginBottom: 42,
    ariaLabel: 'Share of test samples with an adversarial distance of at most Δx, per regulariser',
    x: { label: 'adversarial distance Δx', zero: true, nice: true, labelAnchor: 'center', labelArrow: 'none' },
    y: { label: 'samples with at most this Δx, %', domain: [0, 100], grid: true, labelArrow: 'none' },
    marks: all.map(({ group, values, attacked }) => {
      const { light, dash } = look(group.regulariser);
      const stride = Math.max(1, values.length / STEPS);
      const steps = Array.from({ length: Math.min(STEPS, values.length) }, (_, i) => {
        const rank = Math.min(values.length - 1, Math.ceil((i + 1) * stride) - 1);
        return { x: values[rank]!, y: (100 * (rank + 1)) / attacked };
      });
      const whole = [{ x: values[0]!, y: 0 }, ...steps, { x: most, y: steps.at(-1)!.y }];
      return Plot.line(whole, {
        x: 'x',
        y: 'y',
        curve: 'step-after',
        stroke: light,
        strokeWidth: 2,
        strokeDasharray: dash,
      });
    }),
  });
}
