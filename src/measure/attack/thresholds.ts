import { look, SEED } from '../../plot/colors.js';
import { type Figure, regularizers, seedsPhrase, WIDTH } from '../../plot/figures-figure.js';
import { number, percent } from '../../plot/format.js';
import { Plot, panel } from '../../plot/plot.js';
import { mean, quantile } from '../../plot/report-statistics.js';
import type { Report } from '../networks/record.js';
import { type Group, groups } from '../networks/report-groups.js';
import { correctSamples, foundSamples } from '../networks/report-summary.js';
import { entitled } from '../paper.js';

const THRESHOLDS = 15; // as in the paper
const FEWEST = 8; // samples of a network: with fewer its shares are steps

/** The share of samples that stay right up to a distance, for 15 distances, each seed a gray dot (figure E.5 of the paper). */
export function thresholds(report: Report): Figure | null {
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
  const wide = 0.84 / all.length;
  const largest = at.map((_, i) => {
    const means = bars.map(({ group, shares }) => ({ label: group.label, value: mean(shares[i]!) }));
    return means.reduce((best, each) => (each.value > best.value ? each : best)).label;
  });
  const wins = all.map(({ label }) => `${label} at ${largest.filter((name) => name === label).length}`);
  return {
    ...entitled('thresholds', report.pipeline, 'thresholds', 'Share of samples beyond a distance'),
    panels: [
      panel({
        ...{ width: WIDTH.full, height: 300, marginLeft: 52, marginTop: 30, marginBottom: 46, marginRight: 8 },
        ariaLabel: `Share of samples with an adversarial distance above ${THRESHOLDS} thresholds, per regularizer`,
        x: { domain: [-0.5, THRESHOLDS - 0.5], axis: null },
        y: { label: 'samples with a greater Δx, %', domain: [0, 100], grid: true, labelArrow: 'none' },
        marks: [
          ...bars.flatMap(({ group, shares }, place) => {
            const { light } = look(group.regularizer);
            const left = (i: number) => i - 0.42 + place * wide;
            return [
              Plot.rect(shares, {
                ...{ x1: (_, i) => left(i) + 0.012, x2: (_, i) => left(i) + wide - 0.012 },
                ...{ y1: () => 0, y2: (values: number[]) => 100 * mean(values) },
                ...{ fill: light, fillOpacity: 0.85 },
              }),
              Plot.dot(
                shares.flatMap((values, i) => values.map((value, k) => ({ i, value, k, of: values.length }))),
                {
                  x: ({ i, k, of }) => left(i) + wide * (of > 1 ? 0.2 + (0.6 * k) / (of - 1) : 0.5),
                  y: ({ value }) => 100 * value,
                  ...{
                    r: all.length > 3 ? 1.7 : 2.2,
                    fill: SEED.light,
                    stroke: 'white',
                    strokeWidth: all.length > 4 ? 0.3 : 0.5,
                  },
                },
              ),
            ];
          }),
          Plot.axisX(
            at.map((_, i) => i),
            {
              ...{ label: 'threshold of Δx', labelAnchor: 'center', labelArrow: 'none', tickSize: 0 },
              tickFormat: (i: number) => number(at[i]!, most >= 100 ? 3 : 2),
            },
          ),
        ],
      }),
    ],
    columns: 1,
    legend: regularizers(all).map((entry) => ({ ...entry, mark: 'square' })),
    reading: `Bars: the share of correctly classified test samples whose Δx is above the threshold, mean over ${seedsPhrase(all)}; gray dots: one network each. A sample that never flipped counts as beyond every threshold. Δx: l2, in units of the input.`,
    outcome: `the highest share, of ${THRESHOLDS} thresholds: ${wins.join(', ')}. Beyond the lowest, ${number(at[0], 2)}: ${bars.map(({ group, shares }) => `${group.label} ${percent(mean(shares[0]!))}`).join(', ')}.`,
  };
}

function sharesOf({ networks }: Group, threshold: number): number[] {
  return networks.map((network) => {
    const correct = correctSamples(network);
    const below = foundSamples(network).filter(({ distance }) => distance <= threshold).length;
    return 1 - below / correct.length;
  });
}
