import { type Measure, measured } from '../measure/networks/measures.js';
import type { Report } from '../measure/networks/record.js';
import { groups } from '../measure/networks/report-groups.js';
import { type Spread, spread, summariseGroup } from '../measure/networks/report-summary.js';
import { escaped } from '../plot/escaped.js';
import { NONE, plusMinus } from '../plot/format.js';
import { name, table } from '../plot/tables-table.js';

/** Columns of σ; a deeper network has a table of its own. */
export const LAYERS = 4;

/** One row a setting and regularizer: means and standard deviations over its networks of every number there is. */
export function regularizersTable(report: Report): string {
  const measures = measured(report.networks);
  const layers = layersOf(report);
  const shown = layers.length > LAYERS ? [] : layers;
  const rows = groups(report).map((group) => {
    const { sigma } = summariseGroup(group);
    const value = (measure: Measure) => over(spread(group.networks, measure.of), measure.places, measure.scale);
    return [
      name(group.label, group.regularizer),
      String(group.networks.length),
      ...measures.map(value),
      ...shown.map((layer) => (sigma[layer] ? over(sigma[layer], 3) : NONE)),
    ];
  });
  const heads = ['Regularizer', 'Networks', ...measures.map((measure) => measure.name), ...shown.map((l) => `σ ${l}`)];
  return table('Per regularizer: mean ± standard deviation over networks (seeds). Distances are l2.', heads, rows);
}

/** σ of every layer of a deep network, a row a layer; '' where the table above has them. */
export function layersTable(report: Report): string {
  const layers = layersOf(report);
  if (layers.length <= LAYERS) return '';
  const summaries = groups(report).map(summariseGroup);
  const rows = layers.map((layer) => [
    escaped(layer),
    ...summaries.map(({ sigma }) => (sigma[layer] ? over(sigma[layer], 3) : NONE)),
  ]);
  return table(
    'σ of every layer at the end: mean ± standard deviation over networks (seeds).',
    ['Layer', ...summaries.map(({ label }) => label)],
    rows,
  );
}

export function layersOf({ networks }: Report): string[] {
  return [...new Set(networks.flatMap((network) => Object.keys(network.sigma)))];
}

function over({ mean, standardDeviation }: Spread, places: number | undefined, scale = 1): string {
  if (mean === null) return NONE;
  return plusMinus(mean * scale, standardDeviation === null ? null : standardDeviation * scale, places);
}
