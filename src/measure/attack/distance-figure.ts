import { BOXED, type Column, columns, extent } from '../../plot/columns.js';
import { type DrawnFigure, seedsPhrase, WIDTH } from '../../plot/figure.js';
import { mean, standardDeviation } from '../../plot/statistics.js';
import { transferOf } from '../../plot/style.js';
import { number, percent, plusMinus } from '../../plot/table.js';
import { against } from '../networks/comparison.js';
import { bySetting, groups, planar, type SeedGroup, settingsOf } from '../networks/groups.js';
import type { NetworkReport, Report } from '../networks/record.js';
import {
  distanceUnit,
  exactMean,
  fitSentences,
  measureCalled,
  type Spread,
  spread,
  summarizeGroup,
  summarizeNetwork,
} from '../networks/summary.js';
import type { AttackReport } from './attacked.js';

const BEST = measureCalled('Mean best Δx');
const [ATTACKED, EXACT] = [measureCalled('Mean Δx'), measureCalled('Mean exact Δx')];

/** Mean adversarial distance of each regularizer in each setting, of networks over the plane. */
export function meanDistances(report: Report): DrawnFigure | null {
  if (!report.networks.every(planar)) return null;
  const drawn = groups(report)
    .map((group) => ({ group, column: column(group) }))
    .filter(({ column: { values } }) => values.length > 0);
  if (drawn.length === 0) return null;
  const { networks } = report.whole ?? report;
  const domain = extent(groups({ ...report, networks: networks.filter(planar) }).map(column)); // one scale for several figures
  const settings = settingsOf(drawn.flatMap(({ group }) => group.networks));
  const exact = drawn.some(({ column: { beside } }) => beside !== undefined && beside.values.length > 0);
  const counts = [...new Set(drawn.map(({ column: { values } }) => values.length))].sort((a, b) => a - b);
  return {
    title: 'Mean adversarial distance per regularizer',
    panels: settings.map((setting) => {
      const ofSetting = drawn.filter(({ group }) => group.setting === setting);
      return columns(
        ofSetting.map((each) => each.column),
        { label: `mean Δx${setting ? `, ${setting}` : ''}`, width: WIDTH.half, height: 270, show: 'bar', domain },
      );
    }),
    columns: 2,
    legend: [],
    reading: `Filled diamond: mean over ${counts.join(' to ')} seed${counts.at(-1) === 1 ? '' : 's'} of each network's mean Δx (l2, ${distanceUnit(report.networks)}) by ${attackWords(report)}; bar: ± 1 standard deviation over seeds; gray: one network each.${exact ? ' Hollow: the same points, by a dense scan of directions: the exact distance, which the attack can only exceed.' : ''} The vertical axis does not begin at zero.`,
    outcome: [
      bySetting(drawn, ({ group, column: each }) => sentence(group, each)),
      ...settings.map((setting) => {
        const ofSetting = drawn.filter(({ group }) => group.setting === setting).map(({ group }) => group);
        const what = `${exact ? 'Exact' : 'Mean'} Δx${setting && `, ${setting}`}`;
        return against(report, ofSetting, exact ? EXACT : ATTACKED, what);
      }),
    ]
      .filter(Boolean)
      .join(' '),
  };
}

function column(group: SeedGroup): Column {
  const values = known(group.networks.map((network) => summarizeNetwork(network).meanDistance));
  const exact = known(group.networks.map(exactMean));
  return {
    label: group.regularizer,
    regularizer: group.regularizer,
    values,
    error: standardDeviation(values),
    beside: { values: exact, error: standardDeviation(exact) },
  };
}

function sentence(group: SeedGroup, { values, error, beside }: Column): string {
  const exact = beside && beside.values.length > 0 ? ` (exact ${plusMinus(mean(beside.values), beside.error, 3)})` : '';
  return `${group.regularizer} ${error === null ? number(mean(values)) : plusMinus(mean(values), error, 3)}${exact}`;
}

/** 'Tangent Attack (black-box)', or several: the attacks that distances are by; '' where no record names one. */
export function namesOf(networks: Report['networks']): string {
  const attacks = networks.flatMap(({ attack }) => (attack?.name === undefined ? [] : attack));
  return [...new Set(attacks.map(called))].join(' and ');
}

const called = ({ name = 'an attack', kind }: Pick<AttackReport, 'name' | 'kind'>): string =>
  `${name}${kind ? ` (${kind})` : ''}`;

/**
 * 'Tangent Attack (black-box), T = 40, inputs kept in [0, 1]': the attack that a report's distances are by, or several; '' where no network was
 * attacked.
 */
export function attackWords({ networks }: Pick<Report, 'networks'>): string {
  const attacks = networks.flatMap(({ attack, readout }) => [attack, readout?.attack].flatMap((one) => one ?? []));
  const names = new Set(
    attacks.map((attack) => `${called(attack)}${attack.iterations === null ? '' : `, T = ${attack.iterations}`}`),
  );
  return names.size > 0 ? `${[...names].join(' and ')}${boxes(networks)}` : '';
}

/** All attacks that upper bounds may be by: 'Tangent Attack (black-box), T = 40, …, and DDN (white-box)'. */
export function attacksOf(report: Pick<Report, 'networks'>): string {
  const all = report.networks.flatMap(({ attack }) => (attack?.portfolio?.attacks ?? []).slice(1));
  const others = new Set(all.map(({ name, kind }) => called({ name, ...(kind && { kind }) })));
  return [attackWords(report), ...others].filter(Boolean).join(', and ');
}

/** 'Tangent Attack: black-box, DDN: white-box': the attacks that were on the same samples. */
function kindsIn({ networks }: Report): string {
  const attacks = networks.flatMap(({ attack, readout }) => [attack, readout?.attack].flatMap((one) => one ?? []));
  const all = attacks.flatMap(({ portfolio }) => portfolio?.attacks ?? []);
  return [...new Set(all.map(({ name, kind }) => `${name}${kind ? `: ${kind}` : ''}`))].join(', ');
}

const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

/** ', inputs kept in [0, 1]': what the attacks let an input be, by channel where these differ. */
function boxes(networks: Report['networks']): string {
  const all = networks.flatMap(({ attack, readout }) =>
    [attack?.box, readout?.attack?.box].flatMap((box) => box ?? []),
  );
  const ranges = new Set(all.map(({ min, max }) => rangeOf([min, max].map((bound) => [bound].flat()))));
  return ranges.size > 0 ? `, inputs kept in ${[...ranges].join(' and ')}` : '';
}

const short = (value: number): string => String(Number(value.toPrecision(3))).replace('-', '−');

function rangeOf([least = [], most = []]: readonly (readonly number[])[]): string {
  const n = Math.max(least.length, most.length);
  const ranges = Array.from(
    { length: n },
    (_, c) => `[${short(least[c % least.length]!)}, ${short(most[c % most.length]!)}]`,
  );
  return n === 1 ? ranges[0]! : `${ranges.join(' × ')} by channel`;
}

/** The two numbers of every network of a group that the figure shows. */
interface Pair {
  readonly group: SeedGroup;
  readonly accuracy: Spread;
  readonly distance: Spread;
  /** By the nearest point of each sample, of networks that several attacks were on. */
  readonly best: Spread;
  /** Over test samples, of the only network attacked. */
  readonly fallback: number | null;
  /** Samples with an adversarial one, of each network attacked. */
  readonly found: readonly number[];
}

/** Test accuracy and mean adversarial distance of each regularizer, every seed a dot, of networks over more than the plane. */
export function robustness(report: Report): DrawnFigure | null {
  const trainedTwice = report.networks.some(({ regularizer }) => transferOf(regularizer) !== null);
  const otherAttack = report.networks.some(({ measurements = {} }) =>
    Object.values(measurements).some(({ description }) => description.role === 'attack'),
  );
  const none = report.networks.every(({ attack }) => attack === null);
  // A user's own attack that lacks fields is told of in the verdict, and "not attacked" would be wrong.
  if (report.networks.every(planar) || trainedTwice || (none && otherAttack)) return null;
  const all = groups(report).map((group): Pair => {
    const { testAccuracy, meanDistance } = summarizeGroup(group);
    return {
      group,
      accuracy: testAccuracy,
      distance: meanDistance,
      best: spread(group.networks, BEST.of),
      fallback: ofSamples(group),
      found: foundBy(group.networks),
    };
  });
  const drawn = draw(all, report, ['Test accuracy, %', 'Mean Δx']);
  return drawn && { title: 'Accuracy and adversarial distance per regularizer', ...drawn };
}

/** The same with the readout thrown away and fitted anew on the frozen features . */
export function refitted(report: Report): DrawnFigure | null {
  const again = groups({ ...report, networks: report.networks.filter(({ readout }) => readout) });
  const all = again.map((group): Pair => {
    const attacked = group.networks.map((network) => ({ ...network, attack: network.readout!.attack }));
    return {
      group,
      accuracy: spread(group.networks, ({ readout }) => readout!.accuracy),
      distance: spread(attacked, (network) => summarizeNetwork(network).meanDistance),
      best: spread(attacked, BEST.of),
      fallback: ofSamples({ ...group, networks: attacked }),
      found: foundBy(attacked),
    };
  });
  const drawn = draw(all, report, ['Accuracy, readout refitted, %', 'Mean Δx, readout refitted']);
  if (!drawn) return null;
  const networks = again.flatMap((group) => group.networks);
  return {
    title: 'Accuracy and adversarial distance with a readout fitted anew',
    ...drawn,
    reading: `Multinomial logistic regression on the frozen features of the training samples, l2 regularizer of strength 1, then the network with it attacked. ${drawn.reading}`,
    outcome: `${drawn.outcome} ${fitSentences(networks.map(({ readout }) => readout!))}`,
  };
}

function draw(all: readonly Pair[], report: Report, measures: readonly string[]): Omit<DrawnFigure, 'title'> | null {
  const accuracies = all.flatMap(({ group, accuracy }) => spreadColumn(group, accuracy, null, 100));
  const distances = all.flatMap(({ group, distance, best, fallback }) =>
    spreadColumn(group, distance, fallback, 1).map((column) => {
      const { values, standardDeviation } = best;
      return { ...column, ...(values.length > 0 && { beside: { values, error: standardDeviation } }) };
    }),
  );
  const several = all.some(({ best }) => best.values.length > 0);
  const size = { width: WIDTH.half, height: 300, show: 'box' as const };
  const panels = [
    ...(accuracies.length > 0 ? [columns(accuracies, { ...size, label: 'test accuracy, %' })] : []),
    ...(distances.length > 0 ? [columns(distances, { ...size, label: 'mean adversarial distance Δx' })] : []),
  ];
  if (panels.length === 0) return null;
  const most = Math.max(...all.map(({ group }) => group.networks.length));
  const marks =
    most >= BOXED
      ? 'box: quartiles over seeds, its thick line the median, its whiskers the least and the greatest seed'
      : `bar: ± 1 standard deviation over seeds${most === 1 ? ', and for the distance of a single network ± 1 standard error over its test samples' : ''}`;
  const groupsOf = all.map(({ group }) => group);
  const names = new Set(groupsOf.map(({ regularizer }) => regularizer));
  const both = names.has('ll-spectral') && names.has('readout-spectral');
  return {
    panels,
    columns: 2,
    legend: [],
    reading: `${most === 1 ? 'Diamond: the only network of a regularizer' : `Gray dots: one network each (${seedsPhrase(groupsOf)} a regularizer). Diamond: their mean`}; ${marks}. Δx: l2, in ${distanceUnit(report.networks)}, over correctly classified test samples (${samples(all.flatMap(({ found }) => found))}), ${attackWords(report)}.${several ? ` Hollow: the smallest distance of each sample by any attack (${kindsIn(report)}).` : ''} Vertical axes do not begin at zero.${both ? ' ll-spectral regularizes every layer (equation 6); readout-spectral the readout alone, which is what the code of the authors does under the former name where there is one hidden layer.' : ''}`,
    outcome: [
      `${all.map(said).join('; ')}.`,
      ...measures.map((name) =>
        against(report, groupsOf, measureCalled(name), name.replace(', %', ', points of per cent')),
      ),
    ]
      .filter(Boolean)
      .join(' '),
  };
}

function spreadColumn(
  group: SeedGroup,
  { values, standardDeviation }: Spread,
  fallback: number | null,
  scale: number,
): Column[] {
  if (values.length === 0) return [];
  const error = standardDeviation ?? fallback;
  const { regularizer } = group;
  const scaled = { values: values.map((v) => v * scale), error: error === null ? null : error * scale };
  return [{ label: regularizer, regularizer, ...scaled }];
}

/** Standard error over the samples of the only network attacked. */
function ofSamples(group: SeedGroup): number | null {
  const found = group.networks.map(summarizeNetwork).filter((summary) => summary.meanDistance !== null);
  return found.length === 1 ? found[0]!.standardError : null;
}

const foundBy = (networks: readonly NetworkReport[]): number[] =>
  networks.flatMap((network) => (network.attack ? [summarizeNetwork(network).found] : []));

function samples(counts: readonly number[]): string {
  if (counts.length === 0) return 'none attacked';
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return `${least === most ? least : `${least} to ${most}`} a network`;
}

function said({ group, accuracy, distance, best, fallback, found }: Pair): string {
  const error = distance.standardDeviation ?? fallback;
  const none =
    found.length === 0
      ? 'not attacked'
      : `no adversarial sample${best.mean === null ? '' : ` by the first attack, best Δx ${plusMinus(best.mean, best.standardDeviation)}`}`;
  const size = distance.mean === null ? none : `Δx ${plusMinus(distance.mean, error)}`;
  const spreadOf = accuracy.standardDeviation;
  const shown = spreadOf === null ? percent(accuracy.mean) : `${plusMinus(100 * accuracy.mean!, 100 * spreadOf, 2)} %`;
  return `${group.label} ${shown}, ${size}`;
}
