import { holm, type MeanDifference, mean, pairedDifference, welchDifference } from '../../plot/statistics.js';
import { unregularized } from '../../plot/style.js';
import { number } from '../../plot/table.js';
import { groups, opposed, type Pair, type SeedGroup } from './groups.js';
import type { NetworkReport, Report } from './record.js';
import {
  bySeed,
  foundSamples,
  type GroupSummary,
  type Measure,
  measured,
  summarizeGroup,
  summarizeNetwork,
} from './summary.js';

/** How two groups differ in one measure, and over what the interval was taken. */
export interface Comparison extends MeanDifference {
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
function compareSeeds(a: SeedGroup, b: SeedGroup, of: (network: NetworkReport) => number | null): Comparison | null {
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
export function compareDistances(a: SeedGroup, b: SeedGroup): Comparison | null {
  const seeds = compareSeeds(a, b, (network) => summarizeNetwork(network).meanDistance);
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

function distances(group: SeedGroup, seed: number | undefined): Values {
  const found = (network: NetworkReport) => foundSamples(network).length > 0;
  const candidates = group.networks.filter(found);
  const network = candidates.find((candidate) => candidate.seed === seed) ?? candidates[0];
  return new Map(network ? foundSamples(network).map((sample) => [sample.index, sample.distance]) : []);
}

/** A group of one setting, with what it is ranked by. */
export interface Ranked {
  readonly group: SeedGroup;
  readonly summary: GroupSummary;
  /** Mean Δx over its networks. */
  readonly distance: number;
}

/** The groups of one setting that were attacked, the largest mean distance first. */
export interface Ranking {
  readonly pipeline: string;
  readonly setting: string;
  readonly ranked: readonly Ranked[];
}

/** The groups of a report by pipeline and setting, those with a distance in order. */
export function ranked(all: readonly SeedGroup[]): Ranking[] {
  const settings = new Map(all.map(({ pipeline, setting }) => [`${pipeline}\n${setting}`, { pipeline, setting }]));
  return [...settings.values()].map(({ pipeline, setting }) => ({
    pipeline,
    setting,
    ranked: all
      .filter((group) => group.pipeline === pipeline && group.setting === setting)
      .flatMap((group): Ranked[] => {
        const summary = summarizeGroup(group);
        const distance = summary.meanDistance.mean;
        return distance === null ? [] : [{ group, summary, distance }];
      })
      .sort((a, b) => b.distance - a.distance),
  }));
}

/** Whom the best of a setting is held against: the second, and the unregularized one where that is another. */
export function rivals({ ranked: [best, ...others] }: Ranking): { readonly best: Ranked; readonly other: Ranked }[] {
  if (best === undefined) return [];
  const baseline = others.find(({ group }) => unregularized(group.regularizer));
  const second = others[0] === baseline ? undefined : others[0];
  return [second, baseline].flatMap((other) => (other === undefined ? [] : [{ best, other }]));
}

/** All tests of a whole report, for which the p of each is corrected by Holm's method. */
export interface TestFamily {
  readonly tests: number;
  /** p of a comparison once all tests are allowed for; null where it was not tested, is none of this report's, or the only one. */
  corrected(a: SeedGroup, b: SeedGroup, measure: string, over: Comparison['over']): number | null;
}

const known = new WeakMap<Report, TestFamily>();

/**
 * Every test that the report speaks of: the pairs of its comparisons in each measure over seeds, and those of its verdict. A part of
 * a report, such as a figure's, has the tests of the whole.
 */
export function familyOf(part: Report): TestFamily {
  const report = part.whole ?? part;
  const family = known.get(report) ?? make(report);
  known.set(report, family);
  return family;
}

function make(report: Report): TestFamily {
  const tests = new Map<string, number>();
  const add = (a: SeedGroup, b: SeedGroup, measure: string, test: Comparison | null): void => {
    if (test?.p != null) tests.set(keyOf(a, b, measure, test.over), test.p);
  };
  const all = groups(report);
  const measures = measured(report.networks).filter(isCompared);
  for (const [a, b] of opposed(all)) {
    for (const measure of measures) add(a, b, measure.name, compareSeeds(a, b, measure.of));
  }
  for (const ranking of ranked(all)) {
    for (const { best, other } of rivals(ranking)) {
      add(best.group, other.group, DISTANCE, compareDistances(best.group, other.group));
    }
  }
  const values = tests.size > 1 ? holm([...tests.values()]) : [];
  const corrected = new Map([...tests.keys()].flatMap((key, i) => (i in values ? [[key, values[i]!] as const] : [])));
  return { tests: tests.size, corrected: (a, b, measure, over) => corrected.get(keyOf(a, b, measure, over)) ?? null };
}

const isCompared = ({ compared }: Measure): boolean => compared !== false;

/** The measure that the verdict compares. */
export const DISTANCE = 'Mean Δx';

/** The same whichever of the two comes first. */
function keyOf(a: SeedGroup, b: SeedGroup, measure: string, over: Comparison['over']): string {
  const { pipeline, setting } = a;
  return JSON.stringify([pipeline, setting, ...[a.regularizer, b.regularizer].sort(), measure, over]);
}

/** Two methods side by side in one measure. */
export interface Compared {
  readonly pipeline: string;
  readonly setting: string;
  readonly a: SeedGroup;
  readonly b: SeedGroup;
  readonly measure: Measure;
  /** Mean of `a` less mean of `b`, over all their networks. */
  readonly difference: number;
  /** Over seeds; null where there are too few for seeds to tell. */
  readonly test: Comparison | null;
  /** The test's p by Holm's method, all tests of the report allowed for; null where there is none. */
  readonly corrected: number | null;
}

/**
 * Every method against the unregularized one, and rep-spectral against every other, in every measure that both have. Of networks that
 * were trained twice also every pretraining against none, and every fine-tuning against none, with the other stage the same.
 *
 * @example for (const { a, b, measure, difference } of comparisons(report)) console.log(a.label, b.label, measure.name, difference);
 */
export function comparisons(report: Report): Compared[] {
  const all = groups(report);
  const measures = measured(report.networks).filter(isCompared);
  return opposed(all).flatMap(([a, b]) => measures.flatMap((measure) => compared(report, [a, b], measure) ?? []));
}

/** One pair in one measure; null where a side has no value. */
export function compared(report: Report, [a, b]: Pair, measure: Measure): Compared | null {
  const of = (group: SeedGroup) => group.networks.flatMap((network) => measure.of(network) ?? []);
  const [left, right] = [of(a), of(b)];
  if (left.length === 0 || right.length === 0) return null;
  const test = compareSeeds(a, b, measure.of);
  const difference = test?.value ?? mean(left) - mean(right);
  const corrected = test && familyOf(report).corrected(a, b, measure.name, 'seeds');
  return { pipeline: a.pipeline, setting: a.setting, a, b, measure, difference, test, corrected };
}

/** The test in words: its name and n; or that there is none. */
export function tested({ test }: Compared): string {
  if (test === null) return 'one seed: seeds cannot tell';
  return `${test.paired ? 'paired t' : 'Welch’s t'}, n = ${test.n} seeds`;
}

/** p with two digits and the sign before it; below 0.0001 as such. */
export function probability(p: number): string {
  return p < 1e-4 ? '< 0.0001' : `= ${p.toPrecision(2)}`;
}

/** How p was corrected, as a phrase; '' where a report makes a single test. */
export function correction(report: Report): string {
  const { tests } = familyOf(report);
  return tests < 2 ? '' : `Holm’s correction over the ${tests} tests of this report`;
}

/** rep-spectral against the unregularized network and against ll-spectral in one measure, a sentence; '' where there is none. */
export function against(report: Report, groups: readonly SeedGroup[], measure: Measure, what: string): string {
  const rep = groups.find(({ regularizer }) => regularizer === 'rep-spectral');
  const pairs = ['none', 'll-spectral'].flatMap((name) => {
    const other = groups.find(({ regularizer }) => regularizer === name);
    return (rep && other && compared(report, [rep, other], measure)) ?? [];
  });
  if (pairs.length === 0) return '';
  const tests = [...new Set(pairs.map(tested))];
  const each = pairs.map(
    (pair) => `less ${pair.b.regularizer} ${apart(pair)}${tests.length > 1 ? ` (${tested(pair)})` : ''}`,
  );
  return `${what}, rep-spectral${tests.length === 1 ? ` (${tests[0]}${basis(report, pairs)})` : ''} ${each.join('; ')}.`;
}

/** What stands behind the name of the test of some pairs: what is in brackets, and how p was corrected. */
export function basis(report: Report, pairs: readonly Compared[]): string {
  if (pairs.every(({ test }) => test === null)) return '';
  const corrected = pairs.some((pair) => pair.corrected !== null) ? correction(report) : '';
  return `, 95 % interval of each alone${corrected && `, p by itself and with ${corrected}`}`;
}

/** The difference of a pair with its interval and p, as far as seeds can tell. */
export function apart({ difference, measure: { scale }, test, corrected }: Compared): string {
  const size = `${difference >= 0 ? '+' : ''}${number(scale * difference)}`;
  if (test === null || test.lower === null) return size;
  const holm = corrected === null ? '' : ` (Holm ${probability(corrected)})`;
  const p = test.p === null ? '' : `, p ${probability(test.p)}${holm}`;
  return `${size} [${number(scale * test.lower, 2)} to ${number(scale * test.upper!, 2)}]${p}`;
}
