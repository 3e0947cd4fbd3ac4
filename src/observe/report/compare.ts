import type { NetworkReport } from './data.js';
import type { Group } from './groups.js';
import { type Difference, mean, pairedDifference, welchDifference } from './statistics.js';
import { foundSamples, summariseNetwork } from './summary.js';

/** How the mean adversarial distances of two groups differ, and over what the interval was taken. */
export interface Comparison extends Difference {
  readonly over: 'seeds' | 'samples';
  readonly paired: boolean;
  /** Seeds or samples; of the smaller side where they are not paired. */
  readonly n: number;
}

/**
 * The mean distance of `a` less that of `b`.
 *
 * Over seeds where both sides have two or more (paired where they share at least two): that is the spread a new training
 * would meet. With one seed on a side, over test samples (paired where both networks found them), which says nothing of
 * other seeds. Null where a side has no distance.
 */
export function compareDistances(a: Group, b: Group): Comparison | null {
  const [seedsA, seedsB] = [bySeed(a), bySeed(b)];
  const shared = [...seedsA.keys()].filter((seed) => seedsB.has(seed));
  if (shared.length >= 2) {
    const of = (seeds: Map<number, number>) => shared.map((seed) => seeds.get(seed)!);
    return { ...pairedDifference(of(seedsA), of(seedsB)), over: 'seeds', paired: true, n: shared.length };
  }
  if (seedsA.size >= 2 && seedsB.size >= 2) {
    const n = Math.min(seedsA.size, seedsB.size);
    return { ...welchDifference([...seedsA.values()], [...seedsB.values()]), over: 'seeds', paired: false, n };
  }
  return overSamples(a, b, shared[0]);
}

/** Mean distance per seed; a seed that was run twice counts once, by the mean of its networks. */
function bySeed(group: Group): Map<number, number> {
  const all = new Map<number, number[]>();
  for (const network of group.networks) {
    const value = summariseNetwork(network).meanDistance;
    if (value !== null) all.set(network.seed, [...(all.get(network.seed) ?? []), value]);
  }
  return new Map([...all].map(([seed, values]) => [seed, mean(values)]));
}

function overSamples(a: Group, b: Group, seed: number | undefined): Comparison | null {
  const [left, right] = [distances(a, seed), distances(b, seed)];
  if (left.size === 0 || right.size === 0) return null;
  const shared = [...left.keys()].filter((index) => right.has(index));
  if (shared.length >= 2) {
    const of = (samples: Map<number, number>) => shared.map((index) => samples.get(index)!);
    return { ...pairedDifference(of(left), of(right)), over: 'samples', paired: true, n: shared.length };
  }
  const n = Math.min(left.size, right.size);
  return { ...welchDifference([...left.values()], [...right.values()]), over: 'samples', paired: false, n };
}

function distances(group: Group, seed: number | undefined): Map<number, number> {
  const found = (network: NetworkReport) => foundSamples(network).length > 0;
  const candidates = group.networks.filter(found);
  const network = candidates.find((candidate) => candidate.seed === seed) ?? candidates[0];
  return new Map(network ? foundSamples(network).map((sample) => [sample.index, sample.distance]) : []);
}
