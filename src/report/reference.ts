import { groups, hasConfig, type SeedGroup } from '../measure/networks/groups.js';
import type { Reference, ReferenceRow, Report } from '../measure/networks/record.js';
import { measureCalled, type Spread, spread, summarizeNetwork } from '../measure/networks/summary.js';
import { fixed, NONE, name, plusMinus, table } from '../plot/table.js';
import { over } from './tables.js';

/** The networks of each pipeline beside those of its reference; '' where none is comparable. */
export const referenceTables = (report: Report): string =>
  Object.entries(report.references ?? {})
    .map(([pipeline, reference]) => referenceTable(report, pipeline, reference))
    .join('\n');

function referenceTable(report: Report, pipeline: string, reference: Reference): string {
  const { title, source, seeds, rows } = reference;
  const compared = groups(report).flatMap((group) => {
    const row = rows.find((each) => group.pipeline === pipeline && comparable(group, reference, each));
    return row ? [{ group, row }] : [];
  });
  if (compared.length === 0) return '';
  const layers = [...new Set(rows.flatMap(({ sigma = {} }) => Object.keys(sigma)))];
  const measures = [...new Set(rows.flatMap((row) => Object.keys(row.measures)))];
  return table(
    `Beside ${source} (${seeds} seeds): mean ± standard deviation over seeds. 'Apart' is our mean less theirs, in standard errors of that difference. The seeds are not the same, so a difference beyond about two is a finding.`,
    [
      title,
      ...layers.flatMap((layer) => [`σ ${layer}`, 'theirs']),
      ...measures.flatMap((measure) => [measure, 'theirs', 'apart, s.e.']),
    ],
    compared.map(({ group, row }) => [
      name(group.label, group.regularizer),
      ...layers.flatMap((layer) => sigmaCells(group, row, layer)),
      ...measures.flatMap((measure) => measureCells(group, row, measure, seeds)),
    ]),
  );
}

/** Whether all networks of a group were trained as those of a row. */
const comparable = ({ regularizer, networks }: SeedGroup, { epochs, where }: Reference, row: ReferenceRow): boolean =>
  regularizer === row.regularizer &&
  networks.every((network) => network.epochs === epochs && hasConfig(network, { ...where, ...row.where }));

function sigmaCells({ networks }: SeedGroup, { sigma = {} }: ReferenceRow, layer: string): string[] {
  const ours = spread(networks, (network) => summarizeNetwork(network).sigma[layer] ?? null);
  return [over(ours, 2), sigma[layer]?.toFixed(2) ?? NONE];
}

function measureCells({ networks }: SeedGroup, { measures }: ReferenceRow, measure: string, seeds: number): string[] {
  const { of, decimals, scale } = measureCalled(measure);
  const ours = spread(networks, of);
  const theirs = measures[measure];
  if (theirs === undefined) return [over(ours, decimals, scale), NONE, NONE];
  const [mean, deviation] = theirs;
  return [
    over(ours, decimals, scale),
    plusMinus(mean * scale, deviation * scale, decimals),
    apart(ours, mean, deviation ** 2 / seeds),
  ];
}

/** Our mean less theirs, in standard errors of the difference. */
function apart({ mean, standardDeviation, values }: Spread, theirs: number, variance: number): string {
  if (mean === null || standardDeviation === null) return NONE;
  return fixed((mean - theirs) / Math.sqrt(standardDeviation ** 2 / values.length + variance), 1);
}
