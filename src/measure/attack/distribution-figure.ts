import { type DrawnFigure, type Panel, regularizers, seedsPhrase, WIDTH } from '../../plot/figure.js';
import { framed, Plot, panel } from '../../plot/panels.js';
import { density, densityEnd, mean, quantile } from '../../plot/statistics.js';
import { markStyle, SEED } from '../../plot/style.js';
import { count, number, percent } from '../../plot/table.js';
import { groups, type SeedGroup } from '../networks/groups.js';
import type { Report } from '../networks/record.js';
import { correctSamples, distanceUnit, foundSamples } from '../networks/summary.js';
import { attackWords } from './distance-figure.js';

/** The distances of one group, all its networks together. */
interface Distances {
  readonly group: SeedGroup;
  /** In order of size. */
  readonly values: readonly number[];
  /** Correctly classified samples attacked, whether or not an adversarial one was found. */
  readonly attacked: number;
}

const STEPS = 200; // of a curve of shares
const FILLED = 2; // densities over one another that are filled; of more the lines alone are told apart
const FRAME = framed(WIDTH.half, 290, [30, 20, 42, 52]);

/** How adversarial distances are spread over test samples: their density, and the share below Δx (figure 6a of the paper). */
export function distribution(report: Report): DrawnFigure | null {
  const all = groups(report).flatMap((group): Distances[] => {
    const values = group.networks.flatMap((network) => foundSamples(network).map((sample) => sample.distance));
    const attacked = group.networks.reduce((sum, network) => sum + correctSamples(network).length, 0);
    return values.length > 0 ? [{ group, values: values.sort((a, b) => a - b), attacked }] : [];
  });
  if (all.length === 0) return null;
  const most = Math.max(...all.map(({ values }) => values.at(-1)!));
  const dense = densities(all);
  return {
    title: 'Distribution of adversarial distances',
    panels: [...(dense ? [dense] : []), shares(all, most)],
    columns: 2,
    legend: regularizers(all.map(({ group }) => group)),
    reading: `${dense ? 'Left: density of Δx over test samples, the seeds of a regularizer pooled (Gaussian kernel, bandwidth by Silverman’s rule; ticks below: tenth percentile and median). Right' : 'Drawn'}: the share of correctly classified samples whose Δx is at most that; a curve further to the right is more robust, one that ends below 100 % has samples that never flipped. Δx: l2, in ${distanceUnit(report.networks)}, ${attackWords(report)}.`,
    outcome: `tenth percentile and median: ${all.map(({ group, values }) => `${group.label} ${number(quantile(values, 0.1))} and ${number(quantile(values, 0.5))} (n = ${count(values.length)})`).join('; ')}.`,
  };
}

function densities(all: readonly Distances[]): Panel | null {
  const end = Math.max(...all.map(({ values }) => densityEnd(values) ?? 0));
  const drawn = all.flatMap(({ group, values }) => {
    const points = density(values, end);
    return points ? [{ group, values, points }] : [];
  });
  if (drawn.length === 0) return null;
  const top = Math.max(...drawn.flatMap(({ points }) => points.map(({ y }) => y)));
  const depth = 0.05 * top; // of a regularizer's row of ticks, below zero
  return panel({
    ...FRAME,
    ariaLabel: `Density of the adversarial distance; medians: ${drawn.map(({ group, values }) => `${group.label} ${number(quantile(values, 0.5))}`).join(', ')}`,
    x: { label: 'adversarial distance Δx', domain: [0, end], labelAnchor: 'center', labelArrow: 'none' },
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
        const { light, dash } = markStyle(group.regularizer);
        const ticks = [quantile(values, 0.1)!, quantile(values, 0.5)!];
        return [
          ...(drawn.length > FILLED ? [] : [Plot.areaY(points, { x: 'x', y: 'y', fill: light, fillOpacity: 0.1 })]),
          Plot.line(points, { x: 'x', y: 'y', stroke: light, strokeWidth: 2, strokeDasharray: dash }),
          Plot.ruleX(
            ticks.map((x) => ({ x, y1: -depth * row, y2: -depth * (row + 1) })),
            { x: 'x', y1: 'y1', y2: 'y2', stroke: light, strokeWidth: 2.5 },
          ),
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
      const { light, dash } = markStyle(group.regularizer);
      const stride = Math.max(1, values.length / STEPS);
      const steps = Array.from({ length: Math.min(STEPS, values.length) }, (_, i) => {
        const rank = Math.min(values.length - 1, Math.ceil((i + 1) * stride) - 1);
        return { x: values[rank]!, y: (100 * (rank + 1)) / attacked };
      });
      const whole = [{ x: values[0]!, y: 0 }, ...steps, { x: most, y: steps.at(-1)!.y }];
      const line = { stroke: light, strokeWidth: 2, strokeDasharray: dash };
      return Plot.line(whole, { x: 'x', y: 'y', curve: 'step-after', ...line });
    }),
  });
}

/** Five ticks or so from 0 up, at ones, twos or fives. */
function evenTicks(top: number): number[] {
  const size = 10 ** Math.floor(Math.log10(top / 3));
  const step = [1, 2, 5, 10].map((digit) => digit * size).find((each) => top / each <= 6) ?? top;
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

const THRESHOLDS = 15; // as in the paper
const HALF = 8; // of them in the first panel, so that a phone shows each as wide as itself
const FEWEST = 8; // samples of a network: with fewer its shares are steps

/** The share of samples that stay right up to a distance, for 15 distances, each seed a gray dot (figure E.5 of the paper). */
export function thresholds(report: Report): DrawnFigure | null {
  const all = groups(report).flatMap((group) => {
    const networks = group.networks.filter((network) => foundSamples(network).length >= FEWEST);
    return networks.length > 0 ? [{ ...group, networks }] : [];
  });
  if (all.length === 0) return null;
  const pooled = all.flatMap(({ networks }) =>
    networks.flatMap((n) => foundSamples(n).map(({ distance }) => distance)),
  );
  // Between the second and the 98th percentile, so that few bars are all or nothing.
  const [least, most] = [quantile(pooled, 0.02)!, quantile(pooled, 0.98)!];
  const at = Array.from({ length: THRESHOLDS }, (_, i) => least + ((most - least) * (i + 0.5)) / THRESHOLDS);
  const bars = all.map((group) => ({ group, shares: at.map((threshold) => sharesOf(group, threshold)) }));
  const largest = at.map((_, i) => {
    const means = bars.map(({ group, shares }) => ({ label: group.label, value: mean(shares[i]!) }));
    return means.reduce((best, each) => (each.value > best.value ? each : best)).label;
  });
  const wins = all.map(({ label }) => `${label} at ${largest.filter((name) => name === label).length}`);
  return {
    title: 'Share of samples beyond a distance',
    panels: [at.slice(0, HALF), at.slice(HALF)].map((part, i) => {
      const of = bars.map(({ group, shares }) => ({ group, shares: shares.slice(i * HALF, i * HALF + part.length) }));
      return thresholdBars(of, part, most);
    }),
    columns: 2,
    legend: regularizers(all).map((entry) => ({ ...entry, mark: 'square' })),
    reading: `Bars: the share of correctly classified test samples whose Δx is above the threshold, ${all.some(({ networks }) => networks.length > 1) ? `mean over ${seedsPhrase(all)}; gray dots: one network each` : 'one network each'}. A sample that never flipped counts as beyond every threshold. Δx: l2, in ${distanceUnit(report.networks)}, ${attackWords(report)}.`,
    outcome: `the highest share, of ${THRESHOLDS} thresholds: ${wins.join(', ')}. Beyond the lowest, ${number(at[0], 2)}: ${bars.map(({ group, shares }) => `${group.label} ${percent(mean(shares[0]!))}`).join(', ')}.`,
  };
}

interface Bars {
  readonly group: SeedGroup;
  /** For each threshold the share of each network. */
  readonly shares: readonly (readonly number[])[];
}

function thresholdBars(bars: readonly Bars[], at: readonly number[], most: number): Panel {
  const wide = 0.84 / bars.length;
  return panel({
    ...framed(WIDTH.half, 270, [30, 8, 44, 44]),
    ariaLabel: `Share of samples with an adversarial distance above ${at.length} thresholds, per regularizer`,
    x: { domain: [-0.5, HALF - 0.5], axis: null },
    y: { label: 'samples with a greater Δx, %', domain: [0, 100], grid: true, labelArrow: 'none' },
    marks: [
      ...bars.flatMap(({ group, shares }, groupIndex) => {
        const { light } = markStyle(group.regularizer);
        const left = (i: number) => i - 0.42 + groupIndex * wide;
        return [
          Plot.rect(shares, {
            x1: (_, i) => left(i) + 0.012,
            x2: (_, i) => left(i) + wide - 0.012,
            y1: () => 0,
            y2: (values: number[]) => 100 * mean(values),
            fill: light,
            fillOpacity: 0.85,
          }),
          Plot.dot(
            shares.flatMap((values, i) => beside(values).map((value, k) => ({ i, value, k, of: values.length }))),
            {
              x: ({ i, k, of }) => left(i) + wide * (0.2 + (0.6 * k) / (of - 1)),
              y: ({ value }) => 100 * value,
              r: bars.length > 3 ? 1.7 : 2.2,
              fill: SEED.light,
              stroke: 'white',
              strokeWidth: bars.length > 4 ? 0.3 : 0.5,
            },
          ),
        ];
      }),
      Plot.axisX(
        at.map((_, i) => i),
        {
          label: 'threshold of Δx',
          labelAnchor: 'center',
          labelArrow: 'none',
          tickSize: 0,
          tickFormat: (i: number) => number(at[i]!, most >= 100 ? 3 : 2),
        },
      ),
    ],
  });
}

/** Values that stand beside their mean; a single one is its mean. */
const beside = (values: readonly number[]): readonly number[] => (values.length > 1 ? values : []);

function sharesOf({ networks }: SeedGroup, threshold: number): number[] {
  return networks.map((network) => {
    const correct = correctSamples(network);
    const below = foundSamples(network).filter(({ distance }) => distance <= threshold).length;
    return 1 - below / correct.length;
  });
}
