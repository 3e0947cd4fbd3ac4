import { mean, quantile, standardDeviation, standardError } from '../../plot/report-statistics.js';
import type { AttackedSample, NetworkReport } from './record.js';
import type { Group } from './report-groups.js';

/** The numbers of one network that tables, figures and the verdict share. */
export interface NetworkSummary {
  readonly attacked: number;
  /** Attacked samples that the network classifies correctly: those that the paper counts. */
  readonly correct: number;
  /** Correct samples for which an adversarial one was found: those with a distance. */
  readonly found: number;
  readonly meanDistance: number | null;
  readonly standardError: number | null;
  readonly medianDistance: number | null;
  /** Per attacked sample. */
  readonly meanQueries: number | null;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Of the samples with a distance, by what they were started from; `older` for logs of older builds, see `startedOlder`. */
  readonly starts: Readonly<Record<string, number>>;
  /** The last σ of each layer. */
  readonly sigma: Readonly<Record<string, number>>;
}

/** The numbers of one group of seeds: means of networks' values, with their spread over seeds. */
export interface GroupSummary {
  readonly label: string;
  readonly pipeline: string;
  readonly setting: string;
  readonly regularizer: string;
  readonly networks: number;
  readonly seeds: number;
  readonly testAccuracy: Spread;
  readonly meanDistance: Spread;
  readonly sigma: Readonly<Record<string, Spread>>;
}

export interface Spread {
  readonly mean: number | null;
  readonly standardDeviation: number | null;
  readonly standardError: number | null;
  readonly values: readonly number[];
}

/** Correctly classified samples that were attacked (paper, section 4: an adversarial one is of a correct sample). */
export function correctSamples(network: NetworkReport): readonly AttackedSample[] {
  return (network.attack?.samples ?? []).filter((sample) => sample.predicted === sample.label);
}

/** Correctly classified samples with a distance. */
export function foundSamples(network: NetworkReport): readonly (AttackedSample & { readonly distance: number })[] {
  return correctSamples(network).filter(
    (sample): sample is AttackedSample & { distance: number } =>
      sample.distance !== null && Number.isFinite(sample.distance),
  );
}

export function summariseNetwork(network: NetworkReport): NetworkSummary {
  const samples = network.attack?.samples ?? [];
  const distances = foundSamples(network).map((sample) => sample.distance);
  const outcomes = counted(samples.map(({ outcome }) => outcome));
  return {
    attacked: samples.length,
    correct: correctSamples(network).length,
    found: distances.length,
    meanDistance: distances.length > 0 ? mean(distances) : null,
    standardError: standardError(distances),
    medianDistance: quantile(distances, 0.5),
    meanQueries: samples.length > 0 ? mean(samples.map((sample) => sample.queries)) : null,
    outcomes,
    starts: counted(foundSamples(network).map(({ start }) => (start === null ? 'older' : (start ?? 'unknown')))),
    sigma: Object.fromEntries(
      Object.entries(network.sigma).flatMap(([layer, points]) => {
        const last = points.at(-1);
        return last ? [[layer, last.value]] : [];
      }),
    ),
  };
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

export function summariseGroup(group: Group): GroupSummary {
  const summaries = group.networks.map(summariseNetwork);
  const layers = [...new Set(summaries.flatMap((summary) => Object.keys(summary.sigma)))];
  return {
    label: group.label,
    pipeline: group.pipeline,
    setting: group.setting,
    regularizer: group.regularizer,
    networks: group.networks.length,
    seeds: new Set(group.networks.map((network) => network.seed)).size,
    testAccuracy: spread(group.networks, (network) => network.testAccuracy),
    meanDistance: spread(group.networks, (network) => summariseNetwork(network).meanDistance),
    sigma: Object.fromEntries(
      layers.map((layer) => [
        layer,
        spread(group.networks, (network) => summariseNetwork(network).sigma[layer] ?? null),
      ]),
    ),
  };
}

/** A measure per seed, of the networks that have it. A seed that was run twice counts once, by the mean of its networks. */
export function bySeed(
  networks: readonly NetworkReport[],
  of: (network: NetworkReport) => number | null,
): ReadonlyMap<number, number> {
  const all = new Map<number, number[]>();
  for (const network of networks) {
    const value = of(network);
    if (value !== null && Number.isFinite(value)) all.set(network.seed, [...(all.get(network.seed) ?? []), value]);
  }
  return new Map([...all].map(([seed, values]) => [seed, mean(values)]));
}

/**
 * Mean and spread of a measure over seeds. A run beside an attack of it, or a copy of it, is no second training: counted as one, it
 * would make the spread smaller than that of trainings.
 */
export function spread(networks: readonly NetworkReport[], of: (network: NetworkReport) => number | null): Spread {
  const known = [...bySeed(networks, of).values()];
  return {
    mean: known.length > 0 ? mean(known) : null,
    standardDeviation: standardDeviation(known),
    standardError: standardError(known),
    values: known,
  };
}
