import { mean, quantile, standardDeviation, standardError } from '../../plot/statistics.js';
import type { AttackedSample, AttackReport } from '../attack/attacked.js';
import { type FieldMean, fieldTitle, newestMean } from '../log.js';
import type { Fit } from '../readout/record.js';
import type { SeedGroup } from './groups.js';
import type { CurvePoint, NetworkReport } from './record.js';

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
  /** Median Δx over its proved lower bound: how far apart both sides of the true distance are. */
  readonly medianUpperOverLower: number | null;
  /** Per attacked sample. */
  readonly meanQueries: number | null;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Of the samples with a distance, by the kind of their start, of attacks that choose among several. */
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

/** A network, as far as its attack is concerned. */
type Attacked = Pick<NetworkReport, 'attack'>;

/** Correctly classified samples that were attacked (paper, section 4: an adversarial one is of a correct sample). */
export function correctSamples(network: Attacked): readonly AttackedSample[] {
  return (network.attack?.samples ?? []).filter((sample) => sample.predicted === sample.label);
}

/** Correctly classified samples with a distance. */
export function foundSamples(network: Attacked): readonly (AttackedSample & { readonly distance: number })[] {
  return correctSamples(network).filter(
    (sample): sample is AttackedSample & { distance: number } =>
      sample.distance !== null && Number.isFinite(sample.distance),
  );
}

/**
 *
 * @example const summaries = report.networks.map(summarizeNetwork);
 */
export function summarizeNetwork(network: NetworkReport): NetworkSummary {
  const samples = network.attack?.samples ?? [];
  const distances = foundSamples(network).map((sample) => sample.distance);
  const outcomes = counted(samples.map(({ outcome }) => outcome));
  const lastOf = ([layer, points]: [string, readonly CurvePoint[]]) =>
    points.slice(-1).map(({ value }) => [layer, value]);
  return {
    attacked: samples.length,
    correct: correctSamples(network).length,
    found: distances.length,
    meanDistance: distances.length > 0 ? mean(distances) : null,
    standardError: standardError(distances),
    medianDistance: quantile(distances, 0.5),
    medianUpperOverLower: upperOverLower(network),
    meanQueries: samples.length > 0 ? mean(samples.map((sample) => sample.queries)) : null,
    outcomes,
    starts: counted(foundSamples(network).flatMap(({ start }) => start ?? [])),
    sigma: Object.fromEntries(Object.entries(network.sigma).flatMap(lastOf)),
  };
}

/** How far apart both sides of Δx are: the median of what the attack found over what is proved. */
function upperOverLower(network: NetworkReport): number | null {
  const ratios = foundSamples(network).flatMap(({ distance, lower }) => (lower === null ? [] : distance / lower));
  return quantile(ratios.filter(Number.isFinite), 0.5);
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/**
 *
 * @example const summaries = groups(report).map(summarizeGroup);
 */
export function summarizeGroup(group: SeedGroup): GroupSummary {
  const summaries = group.networks.map(summarizeNetwork);
  const layers = [...new Set(summaries.flatMap((summary) => Object.keys(summary.sigma)))];
  const { networks, ...named } = group;
  const sigmaOf = (layer: string) => spread(networks, (network) => summarizeNetwork(network).sigma[layer] ?? null);
  return {
    ...named,
    networks: networks.length,
    seeds: new Set(networks.map((network) => network.seed)).size,
    testAccuracy: spread(networks, (network) => network.testAccuracy),
    meanDistance: spread(networks, (network) => summarizeNetwork(network).meanDistance),
    sigma: Object.fromEntries(layers.map((layer) => [layer, sigmaOf(layer)])),
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

/** A number of a network that tables show and that methods are compared by. */
export interface Measure {
  readonly name: string;
  /** Null where the network has none. */
  readonly of: (network: NetworkReport) => number | null;
  /** What it is shown times: 100 for per cent. */
  readonly scale: number;
  /** False of another measure in other units, by which methods are not compared once more. */
  readonly compared?: false;
  /** Of how many records the number of a network is the mean, where some may have none. */
  readonly counted?: (network: NetworkReport) => Pick<FieldMean, 'count' | 'of'> | null;
  /** What `counted` counts, instead of records. */
  readonly counts?: 'samples';
  /** Places after the point; undefined for as many as show the spread. */
  readonly decimals?: number;
}

/** Every such number, in the order of the tables. Means are over the samples of a network. */
export const MEASURES: readonly Measure[] = [
  { name: 'Test accuracy, %', of: ({ testAccuracy }) => testAccuracy, scale: 100, decimals: 2 },
  { name: 'Mean Δx', of: (network) => summarizeNetwork(network).meanDistance, scale: 1, decimals: 3 },
  { name: 'Mean best Δx', of: ({ attack }) => attack?.portfolio?.meanBest ?? null, scale: 1, decimals: 3 },
  {
    name: 'Mean Δx, common samples',
    of: ({ attack }) => attack?.common?.meanDistance ?? null,
    counted: ({ attack }) => commonCount(attack),
    counts: 'samples',
    scale: 1,
    decimals: 3,
  },
  {
    name: 'Mean best Δx, common samples',
    of: ({ attack }) => (attack?.portfolio && attack.common?.meanBest) ?? null,
    counted: ({ attack }) => commonCount(attack),
    counts: 'samples',
    scale: 1,
    decimals: 3,
  },
  { name: 'Mean Δx, pixel units', of: pixelMean, scale: 1, decimals: 3, compared: false },
  { name: 'Mean exact Δx', of: exactMean, scale: 1, decimals: 3 },
  { name: 'Mean lower bound', of: (network) => meanOf(network, 'lower'), scale: 1 },
  { name: 'Mean local estimate', of: (network) => meanOf(network, 'local'), scale: 1, decimals: 3 },
  { name: 'Accuracy, readout refitted, %', of: ({ readout }) => readout?.accuracy ?? null, scale: 100, decimals: 2 },
  { name: 'Mean Δx, readout refitted', of: refittedMean, scale: 1, decimals: 3 },
  {
    name: 'Mean Δx, readout refitted, common samples',
    of: ({ readout }) => readout?.attack?.common?.meanDistance ?? null,
    counted: ({ readout }) => commonCount(readout?.attack ?? null),
    counts: 'samples',
    scale: 1,
    decimals: 3,
  },
];

/** The one of this name. */
export const measureCalled = (name: string): Measure => MEASURES.find((measure) => measure.name === name)!;

/** Those of them that some network has, and the headlines of streams that a report knows by their schema alone. */
export function measured(networks: readonly NetworkReport[]): Measure[] {
  const headlines = new Map(networks.flatMap(headlinesOf).map((one) => [`${one.stream} ${one.name}`, one] as const));
  const known = new Set<string>(MEASURES.map(({ name }) => name));
  const named = [...headlines.values()].map(({ stream, ...measure }) => {
    const name = known.has(measure.name) ? `${measure.name} (${stream})` : measure.name; // streams may have one record
    known.add(name);
    return { ...measure, name };
  });
  return [...MEASURES, ...named].filter(({ of }) => networks.some((network) => of(network) !== null));
}

/** The headlines of the streams that a report knows by their schema alone. */
const headlinesOf = ({ measurements = {} }: NetworkReport): (Measure & { readonly stream: string })[] =>
  Object.entries(measurements).flatMap(([stream, { description }]) =>
    Object.entries(description.fields).flatMap(([field, { headline, type, label, unit }]) => {
      if (!headline || type !== 'number') return [];
      const fraction = unit === 'fraction';
      const own = fieldTitle(stream, description, label);
      const title = description.role === 'test' ? `${own.charAt(0).toUpperCase()}${own.slice(1)}` : own; // a name begins it otherwise
      const counted = ({ measurements }: NetworkReport): FieldMean | null =>
        measurements?.[stream] ? newestMean(measurements[stream], field) : null;
      const of = (network: NetworkReport): number | null => counted(network)?.mean ?? null;
      return [{ stream, name: `${title}${fraction ? ', %' : ''}`, of, counted, scale: fraction ? 100 : 1 }];
    }),
  );

/** The unit of Δx in words: that of the input, or deviations where all attacked samples were standardized; both where some were. */
export function distanceUnit(networks: readonly NetworkReport[]): string {
  return unitOfInputs(networks.flatMap(({ attack, readout }) => [attack, readout?.attack].flatMap((one) => one ?? [])));
}

/** The unit of lengths between inputs in words, of attacks, maps or whatever was measured on samples that may be standardized. */
export function unitOfInputs(measured: readonly { readonly standardized?: boolean }[]): string {
  const standardized = measured.filter((one) => one.standardized).length;
  if (standardized === 0) return 'units of the input';
  const deviations = 'deviations of each feature';
  return standardized === measured.length ? deviations : `units of the input (of standardized data ${deviations})`;
}

/** The mean exact distance of a network: over the samples that the attack has a distance of, or over all if it has none. */
export function exactMean(network: NetworkReport): number | null {
  const found = new Set(foundSamples(network).map(({ index }) => index));
  const all = (network.exact ?? []).filter(({ distance }) => Number.isFinite(distance));
  const shared = found.size > 0 ? all.filter(({ index }) => found.has(index)) : all;
  return shared.length > 0 ? mean(shared.map(({ distance }) => distance)) : null;
}

/** The mean distance in pixel units, over the samples of the mean distance; null where inputs were not normalized. */
export function pixelMean(network: NetworkReport): number | null {
  const found = foundSamples(network);
  const pixels = found.flatMap(({ pixelDistance }) => pixelDistance ?? []);
  return pixels.length > 0 && pixels.length === found.length ? mean(pixels) : null;
}

/** The common samples, of those that have a distance. */
function commonCount(attack: AttackReport | null): FieldMean | null {
  if (!attack?.common) return null;
  const { meanDistance, samples } = attack.common;
  return { mean: meanDistance, count: samples, of: foundSamples({ attack }).length };
}

function refittedMean(network: NetworkReport): number | null {
  return network.readout ? summarizeNetwork({ ...network, attack: network.readout.attack }).meanDistance : null;
}

function meanOf(network: NetworkReport, bound: 'lower' | 'local'): number | null {
  const values = foundSamples(network).map((sample) => sample[bound] ?? Number.NaN);
  const finite = values.filter(Number.isFinite);
  return finite.length > 0 ? mean(finite) : null;
}

/** How some readouts were fitted, and whether they converged, a sentence for each way; '' for none. */
export function fitSentences(readoutFits: readonly Fit[]): string {
  const ways = [...new Set(readoutFits.map(wayOf))];
  return ways
    .map((way) => {
      const own = readoutFits.filter((fit) => wayOf(fit) === way);
      const early = own.filter(({ converged }) => !converged).length;
      const counts = own.flatMap(({ iterations }) => iterations ?? []);
      const [least, most] = [Math.min(...counts), Math.max(...counts)];
      const after = counts.length === 0 ? '' : ` (${least === most ? least : `${least} to ${most}`} iterations)`;
      const how = own.length === 1 ? 'The fit' : `All ${own.length} fits`;
      const ended =
        early === 0
          ? `${how} converged${after}.`
          : `${early} of ${own.length} fits stopped before ${own.length === 1 ? 'it' : 'they'} converged${after}.`;
      return `${way} ${ended}`;
    })
    .join(' ');
}

/** The fits of readouts that a network's numbers are of: fitted anew after training, or as the classifier on learned features. */
export const readoutFits = ({ readout, classifier }: NetworkReport): Fit[] =>
  [readout, classifier].flatMap((fit) => fit ?? []);

function wayOf({ fit, iterationLimit }: Fit): string {
  const limit = iterationLimit === null ? '' : `, at most ${iterationLimit.toLocaleString('en-US')} iterations`;
  if (fit === 'scikit-learn') return `Readouts are fitted by scikit-learn's default${limit}.`;
  if (fit === 'converged') return `Readouts are fitted until they converge${limit}.`;
  return 'How readouts were fitted is not in the log, which is of an earlier version.';
}
