import type { Report } from '../data.js';
import { number } from '../format.js';
import { groups } from '../groups.js';
import { paperShowed } from '../paper.js';
import { summariseGroup } from '../summary.js';
import { type Figure, WIDTH } from './figure.js';
import { lines } from './lines.js';

/** The top singular value of each layer over epochs, a panel a layer (as figure E.1 of the paper). */
export function sigma(report: Report): Figure | null {
  const all = groups(report);
  const layers = [...new Set(report.networks.flatMap((network) => Object.keys(network.sigma)))].filter((layer) =>
    report.networks.some((network) => (network.sigma[layer]?.length ?? 0) > 1),
  );
  if (layers.length === 0) return null;
  const many = all.some(({ networks }) => networks.length > 1);
  const wide = layers.length < 3;
  const told = layers.length <= 4 ? layers : [layers[0]!, layers.at(-1)!];
  const summaries = all.map(summariseGroup);
  const ends = told.map((layer) => {
    const values = summaries.map(({ label, sigma: last }) => `${label} ${number(last[layer]?.mean)}`);
    return `${layer}: ${values.join(', ')}`;
  });
  return {
    id: 'sigma',
    title: 'Spectral norm of each layer',
    panels: layers.map((layer) =>
      lines(all, {
        label: `σ of ${layer}`,
        width: wide ? WIDTH.half : WIDTH.third,
        height: wide ? 290 : 220,
        scale: 'linear',
        of: (network) => network.sigma[layer] ?? [],
      }),
    ),
    columns: wide ? 2 : 3,
    legend: all,
    reading: `The top singular value of each weight matrix${many ? '; thin: one network each, thick: their mean' : ', one line a network'}. The dashed rule is where burn-in ends and the penalty is switched on.`,
    paper: paperShowed('sigma', report.pipeline),
    outcome: `Here, at the end: ${ends.join('; ')}.`,
  };
}
