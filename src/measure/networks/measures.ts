import { mean } from '../../plot/report-statistics.js';
import type { NetworkReport } from './record.js';
import { foundSamples, summariseNetwork } from './report-summary.js';

/** A number of a network that tables show and that methods are compared by. */
export interface Measure {
  readonly name: string;
  /** Null where the network has none. */
  readonly of: (network: NetworkReport) => number | null;
  /** What it is shown times: 100 for per cent. */
  readonly scale: number;
  /** Places after the point; undefined for as many as show the spread. */
  readonly places?: number;
}

/** Every such number, in the order of the tables. Means are over the samples of a network. */
export const MEASURES: readonly Measure[] = [
  { name: 'Test accuracy, %', of: ({ testAccuracy }) => testAccuracy, scale: 100, places: 2 },
  { name: 'Mean Δx', of: (network) => summariseNetwork(network).meanDistance, scale: 1, places: 3 },
  { name: 'Mean exact Δx', of: exactMean, scale: 1, places: 3 },
  { name: 'Mean lower bound', of: (network) => meanOf(network, 'lower'), scale: 1 },
  { name: 'Mean local estimate', of: (network) => meanOf(network, 'local'), scale: 1, places: 3 },
  { name: 'Accuracy, readout refitted, %', of: ({ readout }) => readout?.accuracy ?? null, scale: 100, places: 2 },
  { name: 'Mean Δx, readout refitted', of: refittedMean, scale: 1, places: 3 },
];

/** Those of them that some network has. */
export function measured(networks: readonly NetworkReport[]): Measure[] {
  return MEASURES.filter(({ of }) => networks.some((network) => of(network) !== null));
}

/** The mean exact distance of a network: over the samples that the attack has a distance of, or over all if it has none. */
export function exactMean(network: NetworkReport): number | null {
  const found = new Set(foundSamples(network).map(({ index }) => index));
  const all = (network.exact ?? []).filter(({ distance }) => Number.isFinite(distance));
  const shared = found.size > 0 ? all.filter(({ index }) => found.has(index)) : all;
  return shared.length > 0 ? mean(shared.map(({ distance }) => distance)) : null;
}

function refittedMean(network: NetworkReport): number | null {
  return network.readout ? summariseNetwork({ ...network, attack: network.readout.attack }).meanDistance : null;
}

function meanOf(network: NetworkReport, bound: 'lower' | 'local'): number | null {
  const values = foundSamples(network).map((sample) => sample[bound] ?? Number.NaN);
  const finite = values.filter(Number.isFinite);
  return finite.length > 0 ? mean(finite) : null;
}
