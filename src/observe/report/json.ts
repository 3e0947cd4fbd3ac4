import type { NetworkReport, Report } from './data.js';
import { groups } from './groups.js';
import { summariseGroup, summariseNetwork } from './summary.js';
import { verdict } from './verdict.js';

/**
 * Every number of the report as JSON, pixels left out.
 *
 * The same report gives the same bytes: fields stand in a fixed order, the keys of `config` in that of the alphabet.
 * What is not a finite number becomes null.
 */
export function reportJson(report: Report): string {
  const { title, pipeline, createdAt, weir, machine, runtime } = report;
  const head = { title, pipeline, createdAt, weir, machine, runtime };
  const all = groups(report);
  const value = {
    ...head,
    config: ordered(report.config),
    verdict: verdict(report),
    regularisers: all.map(summariseGroup),
    networks: all.flatMap((group) => group.networks).map(networkJson),
    notes: report.notes,
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

function networkJson(network: NetworkReport): Record<string, unknown> {
  const { name, pipeline, regulariser, seed, run, updates, epochs, seconds, testAccuracy, burnIn } = network;
  return {
    ...{ name, pipeline, regulariser, seed, run, updates, epochs, seconds, testAccuracy, burnIn },
    sampleShape: network.sampleShape,
    classes: network.classes,
    summary: summariseNetwork(network),
    sigma: network.sigma,
    curves: network.curves,
    attack: network.attack && {
      iterations: network.attack.iterations,
      samples: network.attack.samples.map(
        ({ index, label, predicted, adversarialLabel, outcome, distance, lower, upper, queries }) => {
          return { index, label, predicted, adversarialLabel, outcome, distance, lower, upper, queries };
        },
      ),
    },
  };
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, inner]) => [key, ordered(inner)]));
}
