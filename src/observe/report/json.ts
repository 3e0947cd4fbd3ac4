import type { NetworkReport, Report } from './data.js';
import { groups } from './groups.js';
import { remarks } from './remarks.js';
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
    notes: [...report.notes, ...remarks(report)],
  };
  return `${lines(value, '')}\n`;
}

function networkJson(network: NetworkReport): Record<string, unknown> {
  const { name, pipeline, regulariser, seed, run, updates, epochs, seconds, testAccuracy, burnIn } = network;
  return {
    ...{ name, pipeline, regulariser, seed, run, updates, epochs, seconds, testAccuracy, burnIn },
    sampleShape: network.sampleShape,
    classes: network.classes,
    summary: summariseNetwork(network),
    sigma: columns(network.sigma),
    curves: columns(network.curves),
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

/** Curves as two lists each, so that a long run's are a line, and read into a plot as they are. */
function columns(curves: NetworkReport['curves']): Record<string, { epoch: number[]; value: number[] }> {
  return Object.fromEntries(
    Object.entries(curves).map(([name, points]) => [
      name,
      { epoch: points.map(({ epoch }) => epoch), value: points.map(({ value }) => value) },
    ]),
  );
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, inner]) => [key, ordered(inner)]));
}

/** JSON with a line for each value that holds no other: a sample is one line, not ten. */
function lines(value: unknown, indent: string): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const inner = Object.values(value);
  if (inner.every((each) => each === null || typeof each !== 'object')) return JSON.stringify(value);
  const deeper = `${indent}  `;
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const parts = Array.isArray(value)
    ? value.map((each) => lines(each, deeper))
    : Object.entries(value)
        .filter(([, each]) => each !== undefined)
        .map(([key, each]) => `${JSON.stringify(key)}: ${lines(each, deeper)}`);
  return `${open}\n${deeper}${parts.join(`,\n${deeper}`)}\n${indent}${close}`;
}
