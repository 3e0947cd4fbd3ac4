import { type Difference, pairedDifference, welchDifference } from '../../plot/report-statistics.js';
import type { NetworkReport } from './record.js';
import type { Group } from './report-groups.js';
import { bySeed, foundSamples, summariseNetwork } from './report-summary.js';

/** How two groups differ in one measure, and over what the interval was taken. */
export interface Comparison extends Difference {
  readonly over: 'seeds' | 'samples';
  readonly paired: boolean;
  /** Seeds or samples; of the smaller side where they are not paired. */
  readonly n: number;
  /** Pairs in which `a` is the greater; null where they are not paired. */
  readonly greater: number | null;
}

/**
 * The measure of `a` less that of `b`, over seeds: paired (Student's t on the differences) where both sides share at least two
 * seeds, else Welch's. Null where a side has fewer than two seeds: then seeds cannot tell.
 */
export function compareSeeds(a: Group, b: Group, of: (network: NetworkReport) => number | null): Comparison | null {
  const [seedsA, seedsB] = [bySeed(a.networks, of), bySeed(b.networks, of)];
  const shared = [...seedsA.keys()].filter((seed) => seedsB.has(seed));
  if (shared.length >= 2) return paired(seedsA, seedsB, shared, 'seeds');
  if (seedsA.size < 2 || seedsB.size < 2) return null;
  return unpaired(seedsA, seedsB, 'seeds');
}

/**
 * The mean distance of `a` less that of `b`.
 *
 * Over seeds where both sides have two or more: that is the spread a new training would meet. With one seed on a side, over
 * test samples (paired where both networks found them), which says nothing of other seeds. Null where a side has no distance.
 */
export function compareDistances(a: Group, b: Group): Comparison | null {
  const seeds = compareSeeds(a, b, (network) => summariseNetwork(network).meanDistance);
  if (seeds) return seeds;
  const seed = a.networks.find((network) => b.networks.some((other) => other.seed === network.seed))?.seed;
  const [left, right] = [distances(a, seed), distances(b, seed)];
  if (left.size === 0 || right.size === 0) return null;
  const shared = [...left.keys()].filter((index) => right.has(index));
  return shared.length >= 2 ? paired(left, right, shared, 'samples') : unpaired(left, right, 'samples');
}

type Values = ReadonlyMap<number, number>;

function paired(a: Values, b: Values, shared: readonly number[], over: Comparison['over']): Comparison {
  const [left, right] = [shared.map((key) => a.get(key)!), shared.map((key) => b.get(key)!)];
  const greater = left.filter((value, i) => value > right[i]!).length;
  return { ...pairedDifference(left, right), over, paired: true, n: shared.length, greater };
}

function unpaired(a: Values, b: Values, over: Comparison['over']): Comparison {
  const n = Math.min(a.size, b.size);
  return { ...welchDifference([...a.values()], [...b.values()]), over, paired: false, n, greater: null };
}

function distances(group: Group, seed: number | undefined): Values {
  const found = (network: NetworkReport) => foundSamples(network).length > 0;
  const candidates = group.networks.filter(found);
  const network = candidates.find((candidate) => candidate.seed === seed) ?? candidates[0];
  return new Map(network ? foundSamples(network).map((sample) => [sample.index, sample.distance]) : []);
}
