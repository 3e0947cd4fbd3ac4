import type { NetworkReport } from '../measure/networks/record.js';
import { bySeed } from '../measure/networks/summary.js';
import { mean, pairedDifference, welchDifference } from '../plot/statistics.js';
import { BESIDE, crossedBounds, type View } from './distances.js';
import { type Peers, type StudiedMeasure, studyMeasure } from './measures.js';
import { type ClaimedRegion, type Decision, decide, type Estimate, verdictOf, type Word } from './rules.js';
import { type Analysis, type Side, sidesIn } from './study.js';

/** A trained network as a study knows it. */
export interface StudyNetwork {
  readonly experiment: string;
  readonly setting: string;
  readonly network: NetworkReport;
}

/** A comparison in one way of taking distances, or of a measure that has one way only. */
export interface Test {
  readonly view?: View;
  /** Of each side, over its seeds; null where it has none. */
  readonly means: readonly (number | null)[];
  /** The mean difference over seeds, or the mean of one side; null where no seed has one. */
  readonly estimate: Estimate | null;
  /** By its own p. */
  readonly word: Word;
  /** Of this test alone. */
  readonly p: number | null;
}

/** What came of one comparison. */
export interface Judged {
  readonly analysis: Analysis;
  /** In words: 'Δx: rep-spectral > none (xor, clean)'. */
  readonly label: string;
  readonly region: ClaimedRegion;
  /** The measure, in whose unit estimates and region are; ratios where the margin is relative. */
  readonly measure: Pick<StudiedMeasure, 'name' | 'scale' | 'unit'>;
  /** The first decides the claim; the others say whether its verdict turns. */
  readonly tests: readonly [Test, ...Test[]];
  /** The same by the proved lower bounds, and in pixel units: shown, not tested. */
  readonly beside: readonly Test[];
  /** Of a check of every sample: how many there were, and those that lack the property, in words. */
  readonly checked?: Checked;
}

/** What a check of every sample was over. */
export interface Checked {
  readonly samples: number;
  readonly networks: number;
  /** Experiments that have such samples, of those that the claim names. */
  readonly experiments: readonly string[];
  readonly against: readonly string[];
}

/** A test with its decision, before the claims are judged. */
export interface OpenTest extends Pick<Test, 'view' | 'means' | 'estimate'> {
  readonly decision: Decision | null;
  /** The word of a check, which is no test. */
  readonly fixed?: Word;
}

export interface Open extends Omit<Judged, 'tests' | 'beside'> {
  readonly tests: readonly OpenTest[];
  readonly beside: readonly OpenTest[];
}

/** Compares the networks of both sides, in every way of taking distances. */
export function compare(analysis: Analysis, networks: readonly StudyNetwork[]): Open {
  if (analysis.test === 'every') return check(analysis, networks);
  const measure = studyMeasure(analysis.measure);
  const region = regionOf(analysis);
  const relative = isRelative(analysis);
  const test = (view?: View, isTested = true): OpenTest => {
    const { means, estimate } = estimated(analysis, measure, networks, view);
    const decision = estimate === null || !isTested ? null : decide(estimate, region);
    return { ...(view && { view }), means, estimate, decision };
  };
  const tests = (measure.views ?? [undefined]).map((view) => test(view));
  const beside = measure.views === undefined ? [] : BESIDE.map((view) => test(view, false));
  const { name, scale, unit } = measure;
  return {
    analysis,
    label: labelOf(analysis),
    region,
    measure: relative ? { name: `ratio of ${name}`, scale: 1, unit: '' } : { name, scale, unit },
    tests,
    beside: beside.filter(({ estimate }) => estimate !== null),
  };
}

/** Where the claim says that the estimate lies. */
function regionOf(analysis: Exclude<Analysis, { test: 'every' }>): ClaimedRegion {
  switch (analysis.test) {
    case 'greater':
    case 'rising':
      return { above: 0 };
    case 'above':
      return { above: analysis.bound };
    case 'below':
      return { below: analysis.bound };
    default: {
      const { size, relative = false } = analysis.margin;
      const above = relative ? Math.log(1 - size) : -size;
      return analysis.test === 'not-less' ? { above } : { above, below: relative ? Math.log(1 + size) : size };
    }
  }
}

/** Whether its estimate is the logarithm of a ratio. */
export const isRelative = (analysis: Analysis): boolean =>
  (analysis.test === 'not-less' || analysis.test === 'equal') && (analysis.margin.relative ?? false);

function estimated(
  analysis: Exclude<Analysis, { test: 'every' }>,
  measure: StudiedMeasure,
  networks: readonly StudyNetwork[],
  view: View | undefined,
): Pick<Test, 'means' | 'estimate'> {
  const sides = sidesIn(analysis).map((side) => valuesOf(side, measure, networks, view));
  const means = sides.map((side) => (side.size === 0 ? null : mean([...side.values()])));
  if (analysis.test === 'above' || analysis.test === 'below')
    return { means, estimate: ofOne([...sides[0]!.values()]) };
  if (analysis.test === 'rising') return { means, estimate: ofOne(slopes(sides)) };
  const [a, b] = sides as [Values, Values];
  const times = analysis.test === 'greater' ? (analysis.times ?? 1) : 1;
  const scaled = (side: Values, by: (value: number) => number): Values =>
    new Map([...side].flatMap(([seed, value]) => (Number.isFinite(by(value)) ? [[seed, by(value)] as const] : [])));
  const [left, right] = isRelative(analysis)
    ? [scaled(a, Math.log), scaled(b, Math.log)]
    : [a, scaled(b, (value) => times * value)];
  return { means, estimate: ofTwo(left, right) };
}

type Values = ReadonlyMap<number, number>;

/** The measure of a side by seed. */
function valuesOf(side: Side, measure: StudiedMeasure, all: readonly StudyNetwork[], view: View | undefined): Values {
  const { experiment, setting = '', method } = side;
  const alike = all
    .filter((one) => one.experiment === experiment && one.setting === setting)
    .map(({ network }) => network);
  const own = alike.filter(({ regularizer }) => regularizer === method);
  return bySeed(own, (network) => {
    const peers: Peers = { ofSeed: alike.filter(({ seed }) => seed === network.seed), all: alike };
    return measure.of(network, peers, view);
  });
}

function ofTwo(a: Values, b: Values): Estimate | null {
  if (a.size === 0 || b.size === 0) return null;
  const shared = [...a.keys()].filter((seed) => b.has(seed));
  if (shared.length >= 2 || (shared.length === 1 && a.size === 1 && b.size === 1)) {
    const [left, right] = [shared.map((seed) => a.get(seed)!), shared.map((seed) => b.get(seed)!)];
    const values = left.map((value, i) => value - right[i]!);
    return { ...pairedDifference(left, right), n: shared.length, paired: true, values };
  }
  const n = Math.min(a.size, b.size);
  return { ...welchDifference([...a.values()], [...b.values()]), n, paired: false, values: [] };
}

function ofOne(values: readonly number[]): Estimate | null {
  if (values.length === 0) return null;
  return {
    ...pairedDifference(
      values,
      values.map(() => 0),
    ),
    n: values.length,
    paired: true,
    values,
  };
}

/** For each seed that all sides have, the slope of its values over their places. */
function slopes(sides: readonly Values[]): number[] {
  const seeds = [...sides[0]!.keys()].filter((seed) => sides.every((side) => side.has(seed)));
  const middle = (sides.length - 1) / 2;
  const square = sides.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
  return seeds.map((seed) => sides.reduce((sum, side, i) => sum + (i - middle) * side.get(seed)!, 0) / square);
}

/** A property of every sample: no test, for one that lacks it refutes the claim. */
function check(analysis: Extract<Analysis, { test: 'every' }>, networks: readonly StudyNetwork[]): Open {
  const own = networks.filter(({ experiment }) => analysis.of.includes(experiment));
  const each = own.map(({ experiment, network }) => ({ experiment, network, ...crossedBounds(network) }));
  const samples = each.reduce((sum, { images }) => sum + images, 0);
  const against = each.flatMap(({ experiment, network, crossed }) =>
    crossed.map((index) => `image ${index} of ${network.regularizer}, seed ${network.seed}, ${experiment}`),
  );
  const seen = each.filter(({ images }) => images > 0);
  const fixed: Word = samples === 0 ? 'not run' : against.length === 0 ? 'holds' : 'fails';
  return {
    analysis,
    label: `${analysis.check} on every image`,
    region: {},
    measure: { name: analysis.check, scale: 1, unit: '' },
    tests: [{ means: [], estimate: null, decision: null, fixed }],
    beside: [],
    checked: { samples, networks: seen.length, experiments: [...new Set(seen.map((one) => one.experiment))], against },
  };
}

/** A comparison in words. */
export function labelOf(analysis: Exclude<Analysis, { test: 'every' }>): string {
  const { measure, test } = analysis;
  const where = ({ experiment, setting = '' }: Side): string => [experiment, setting].filter(Boolean).join(', ');
  if (test === 'rising') {
    const { series } = analysis;
    return `${measure} of ${quoted(series[0]!.method)} rises over ${series.map(({ setting }) => setting).join(' → ')}`;
  }
  if ('of' in analysis) {
    return `${measure} of ${quoted(analysis.of.method)} ${test === 'above' ? '>' : '<'} ${analysis.bound} (${where(analysis.of)})`;
  }
  const { a, b, test: relationName } = analysis;
  const apart = where(a) === where(b) ? '' : ` (${where(a)})`;
  const relation = { greater: '>', 'not-less': '≥', equal: '≈' }[relationName];
  const times = 'times' in analysis && analysis.times !== undefined ? `${analysis.times} × ` : '';
  return `${measure}: ${quoted(a.method)}${apart} ${relation} ${times}${quoted(b.method)} (${where(b)})`;
}

/** A method whose name has a sign of comparison in it, such as 'rep-spectral > none', in quotes. */
const quoted = (method: string): string => (/[<>≥≈×]/.test(method) ? `‘${method}’` : method);

/** A comparison with the word of each of its tests. */
export function closed({ tests, beside, ...one }: Open): Judged {
  const close = ({ decision, fixed, ...test }: OpenTest): Test => {
    if (fixed !== undefined) return { ...test, word: fixed, p: null };
    const { word, p } = verdictOf(decision);
    return { ...test, word: test.estimate === null ? 'not run' : word, p };
  };
  const [first, ...more] = tests.map(close) as [Test, ...Test[]];
  return { ...one, tests: [first, ...more], beside: beside.map(close) };
}
