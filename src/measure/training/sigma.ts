import { type Figure, regularizers, WIDTH } from '../../plot/figures-figure.js';
import { number } from '../../plot/format.js';
import type { Report } from '../networks/record.js';
import { groups } from '../networks/report-groups.js';
import { summariseGroup } from '../networks/report-summary.js';
import { entitled } from '../paper.js';
import { lines, linesReading } from './lines.js';

/** The top singular value of each layer over epochs, a panel a layer (as figure E.1 of the paper). */
export function sigma(report: Report): Figure | null {
  const all = groups(report);
  const layers = [...new Set(report.networks.flatMap((network) => Object.keys(network.sigma)))].filter((layer) =>
    report.networks.some((network) => (network.sigma[layer]?.length ?? 0) > 1),
  );
  if (layers.length === 0) return null;
  const wide = layers.length < 3;
  const many = layers.length > 6;
  const told = layers.length <= 4 ? layers : [layers[0]!, layers.at(-1)!];
  const summaries = all.map(summariseGroup);
  const ends = told.map((layer) => {
    const values = summaries.map(({ label, sigma: last }) => `${label} ${number(last[layer]?.mean)}`);
    return `${layer}: ${values.join(', ')}`;
  });
  return {
    ...entitled('sigma', report.pipeline, 'sigma', 'Spectral norm of each layer over the training'),
    panels: layers.map((layer) =>
      lines(all, {
        label: `σ of ${layer}`,
        width: wide ? WIDTH.half : many ? WIDTH.quarter : WIDTH.third,
        height: wide ? 290 : many ? 170 : 220,
        scale: 'linear',
        of: (network) => network.sigma[layer] ?? [],
      }),
    ),
    columns: wide ? 2 : many ? 4 : 3,
    legend: regularizers(all),
    reading: `σ, the largest singular value of each layer as a linear map. ${linesReading(all)}`,
    outcome: `at the end, mean over seeds: ${ends.join('; ')}.`,
  };
}
