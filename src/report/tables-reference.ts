import { exactMean } from '../measure/networks/measures.js';
import type { Report } from '../measure/networks/record.js';
import { type Group, groups } from '../measure/networks/report-groups.js';
import { summariseNetwork } from '../measure/networks/report-summary.js';
import { NONE, plusMinus } from '../plot/format.js';
import { mean, standardDeviation } from '../plot/report-statistics.js';
import { name, table } from '../plot/tables-table.js';
import { type Reference, SEEDS, XOR } from './report-reference.js';

const EPOCHS = 15_000; // of the protocol: a shorter run is not it

/** Clean XOR beside what the authors' protocol gives, a row a regularizer; '' where no group is of that protocol. */
export function referenceTable(report: Report): string {
  const rows = groups(report).flatMap((group) => {
    const reference = XOR.find((row) => row.regularizer === group.regularizer && row.decay === decayOf(group));
    return reference ? [row(group, reference)] : [];
  });
  if (rows.length === 0) return '';
  const heads = [
    ...['Clean XOR', 'σ hidden', 'theirs', 'σ readout', 'theirs'],
    ...['Exact Δx', 'theirs', 'apart, s.e.', 'Attacked Δx', 'theirs', 'apart, s.e.'],
  ];
  return table(
    `Beside the authors' protocol (ten seeds): mean ± standard deviation over seeds. 'Apart' is ours less theirs in standard errors of that difference; the seeds are not the same, so beyond about two it would be a finding.`,
    heads,
    rows,
  );
}

/** The weight decay that a setting's name states; null where it is not clean XOR at the protocol's length. */
function decayOf({ pipeline, setting, networks }: Group): Reference['decay'] | null {
  if (!/xor/i.test(pipeline) || /noisy/i.test(setting) || networks.some(({ epochs }) => epochs < EPOCHS)) return null;
  if (setting === 'clean') return 0;
  return /^clean.*decay 1e-4$/.test(setting) ? 1e-4 : null;
}

function row(group: Group, { sigma, exact, attacked }: Reference): string[] {
  const last = (place: number) =>
    group.networks.flatMap((network) => Object.values(summariseNetwork(network).sigma).at(place) ?? []);
  const ours = (values: readonly number[], places: number) =>
    values.length > 0 ? plusMinus(mean(values), standardDeviation(values), places) : NONE;
  const exactly = group.networks.flatMap((network) => exactMean(network) ?? []);
  const found = group.networks.flatMap((network) => summariseNetwork(network).meanDistance ?? []);
  return [
    name(group.label, group.regularizer),
    ...[ours(last(0), 2), sigma[0].toFixed(2), ours(last(-1), 2), sigma[1].toFixed(2)],
    ...[ours(exactly, 3), plusMinus(...exact, 3), apart(exactly, exact)],
    ...[ours(found, 3), plusMinus(...attacked, 3), apart(found, attacked)],
  ];
}

function apart(values: readonly number[], [theirs, deviation]: readonly [number, number]): string {
  const spread = standardDeviation(values);
  if (spread === null) return NONE;
  return ((mean(values) - theirs) / Math.sqrt(spread ** 2 / values.length + deviation ** 2 / SEEDS)).toFixed(1);
}
