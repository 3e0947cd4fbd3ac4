import { iterations } from '../measure/attack/mean-distances.js';
import { exactMean } from '../measure/networks/measures.js';
import type { NetworkReport, Report } from '../measure/networks/record.js';
import { groups } from '../measure/networks/report-groups.js';
import { summariseNetwork } from '../measure/networks/report-summary.js';
import { escaped } from '../plot/escaped.js';
import { count, duration, NONE, number, percent, plusMinus } from '../plot/format.js';
import { name, table } from '../plot/tables-table.js';
import { LAYERS, layersOf } from './regularizers.js';

/** One row a network: every number of it that fits a line. */
export function networksTable(report: Report): string {
  const networks = groups(report).flatMap((group) =>
    group.networks.map((network) => ({ network, label: group.label })),
  );
  const layers = layersOf(report);
  const exact = report.networks.some((network) => exactMean(network) !== null);
  const refitted = report.networks.some(({ readout }) => readout);
  const deep = layers.length > LAYERS;
  const heads = [
    ...['Regularizer', 'Seed', 'Test accuracy', 'Mean Δx ± s.e.', 'Median Δx', 'Attacked', 'Outcomes'],
    ...(deep ? ['Largest σ'] : layers.map((layer) => `σ ${layer}`)),
    ...(exact ? ['Mean exact Δx'] : []),
    ...(refitted ? ['Accuracy, readout refitted', 'Mean Δx, readout refitted'] : []),
    ...['Queries', 'Trained'],
  ];
  const rows = networks.map(({ network, label }) => {
    const summary = summariseNetwork(network);
    const outcomes = Object.entries(summary.outcomes).map(([outcome, n]) => `${count(n)} ${escaped(outcome)}`);
    const sigmas = deep ? [largest(summary.sigma)] : layers.map((layer) => number(summary.sigma[layer]));
    return [
      name(label, network.regularizer),
      String(network.seed),
      percent(network.testAccuracy, 2),
      plusMinus(summary.meanDistance, summary.standardError, 3),
      number(summary.medianDistance),
      network.attack ? count(summary.attacked) : NONE,
      outcomes.join('<br>') || NONE,
      ...sigmas,
      ...(exact ? [number(exactMean(network))] : []),
      ...(refitted ? again(network) : []),
      count(summary.meanQueries),
      `${count(network.epochs)} epochs<br>${count(network.updates)} updates<br>${duration(network.seconds)}`,
    ];
  });
  return table(caption(report.networks), heads, rows);
}

function again(network: NetworkReport): string[] {
  const { readout } = network;
  if (!readout) return [NONE, NONE];
  const { meanDistance, standardError } = summariseNetwork({ ...network, attack: readout.attack });
  return [percent(readout.accuracy, 2), plusMinus(meanDistance, standardError, 3)];
}

function caption(networks: readonly NetworkReport[]): string {
  const how = iterations({ networks });
  const attack = how === '' ? '' : ` Tangent Attack${how};`;
  return `Per network.${attack} distances are l2, over correctly classified test samples for which an adversarial one was found; s.e. is the standard error over them. Queries are the mean a sample.`;
}

function largest(sigma: Readonly<Record<string, number>>): string {
  const [layer, value] = Object.entries(sigma).reduce<[string, number]>(
    (most, entry) => (entry[1] > most[1] ? entry : most),
    ['', Number.NEGATIVE_INFINITY],
  );
  return layer === '' ? NONE : `${number(value)} (${escaped(layer)})`;
}
