import { type DrawnFigure, type Panel, regularizers, seedsPhrase, WIDTH } from '../../plot/figure.js';
import { curves, type Series } from '../../plot/panels.js';
import { mean, quantile, standardDeviation } from '../../plot/statistics.js';
import { markStyle } from '../../plot/style.js';
import { count, escaped, number, percent, plusMinus, table } from '../../plot/table.js';
import { groups, type SeedGroup } from '../networks/groups.js';
import type { Report } from '../networks/record.js';
import { fewEpsilons, type RobustCurve, robustCurve } from '../networks/robust-accuracy.js';
import { distanceUnit } from '../networks/summary.js';
import type { Interval } from '../readout/record.js';
import { seriesOf, spreadReading } from '../training/figure.js';
import { attacksOf } from './distance-figure.js';

interface Curves {
  readonly group: SeedGroup;
  /** One a network. */
  readonly curves: readonly RobustCurve[];
}

const STEPS = 120; // of a curve

type Bound = 'attacked' | 'certified';

/** The share of all test samples that are still right at perturbations up to ε: by attacks, and proved where a sample has a bound, a panel each. */
export function robustAccuracy(report: Report): DrawnFigure | null {
  const all = curvesOf(report);
  if (all.length === 0) return null;
  const proved = all.some(({ curves }) => curves.some((one) => one.proved > 0));
  const [first = 0, ...epsilons] = fewEpsilons(report.networks);
  const middle = epsilons[Math.floor((epsilons.length - 1) / 2)] ?? first;
  const byAttacks = `no adversarial point was found that near, by ${attacksOf(report)}`;
  return {
    title: 'Robust accuracy over ε',
    panels: proved ? [draw(all, 'attacked'), draw(all, 'certified')] : [draw(all, 'attacked')],
    columns: 2,
    legend: regularizers(all.map(({ group }) => group)),
    reading: `The share of all test samples, the misclassified ones counted as 0, that stay right under every perturbation of at most ε (l2, in ${distanceUnit(report.networks)}), of ${seedsPhrase(all.map(({ group }) => group))}. ${proved ? `Left, an upper bound: ${byAttacks}. Right, a lower bound: proved, over the samples that have a lower bound. The true share lies between the two` : `An upper bound: ${byAttacks}. No sample has a proved lower bound, so there is no certified curve`}. ${linesReading(all)}`,
    outcome: `at ε = ${number(middle)}: ${all.map(({ group, curves }) => `${group.label} ${said(curves, middle)}`).join('; ')}.`,
  };
}

/** What the reader is told of lines and bands: of one network, of several, or of both. */
function linesReading(all: readonly Curves[]): string {
  const several = all.filter(({ curves }) => curves.length > 1).map(({ group }) => group);
  const counts = all.flatMap(({ curves }) => (curves.length === 1 ? curves.map(({ samples }) => samples) : []));
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const one = `Wilson's 95 % interval over its ${least === most ? most : `${least} to ${most}`} samples, at its test accuracy`;
  if (several.length === 0) return `Shaded: ${one}.`;
  return `${spreadReading(several)}${several.length < all.length ? ` Where there is one network, shaded: ${one}.` : ''}`;
}

function curvesOf(report: Report): Curves[] {
  return groups(report).flatMap((group): Curves[] => {
    const curves = group.networks.flatMap((network) => robustCurve(network) ?? []);
    return curves.length > 0 ? [{ group, curves }] : [];
  });
}

/** Mean of each side over networks at ε; the proved side over those that have one. */
const attackedAt = (curves: readonly RobustCurve[], epsilon: number): number[] =>
  curves.map((curve) => curve.at(epsilon).attacked);
const certifiedAt = (curves: readonly RobustCurve[], epsilon: number): number[] =>
  curves.flatMap((curve) => curve.at(epsilon).certified ?? []);

function said(curves: readonly RobustCurve[], epsilon: number): string {
  const [single, ...others] = curves;
  const certified = certifiedAt(curves, epsilon);
  const from = certified.length > 0 ? `, proved ${percent(mean(certified))}` : '';
  if (single === undefined || others.length > 0) return `at most ${percent(mean(attackedAt(curves, epsilon)))}${from}`;
  const { attacked, interval } = single.at(epsilon);
  return `at most ${percent(attacked)} ${within(interval.attacked)}${from}`;
}

/** In per cent: (54.6 to 82.1). */
const within = ({ lower, upper }: Interval): string =>
  `(${[lower, upper].map((end) => (100 * end).toFixed(1)).join(' to ')})`;

function draw(all: readonly Curves[], bound: Bound): Panel {
  const ends = all.flatMap(({ curves }) => curves.map(({ end }) => end));
  const end = quantile(ends, 0.5)! || 1;
  const at = Array.from({ length: STEPS + 1 }, (_, i) => (end * i) / STEPS);
  const words = bound === 'attacked' ? 'by attacks' : 'proved';
  return curves(
    all.flatMap((one) => series(one, bound, at)),
    {
      label: `robust accuracy ${words}, %`,
      ariaLabel: `Robust accuracy over ε per regularizer, ${words}`,
      x: 'ε',
      width: WIDTH.half,
      height: 290,
      scale: 'linear',
      domain: [0, 100],
    },
  );
}

/** One network with its interval; of several their mean, with each of them or their range. */
function series({ group, curves }: Curves, bound: Bound, at: readonly number[]): Series[] {
  const each = curves.filter((curve) => bound === 'attacked' || curve.proved > 0);
  if (each.length === 0) return [];
  const points = (curve: RobustCurve) => at.map((x) => ({ x, y: 100 * curve.at(x)[bound]! }));
  const [only, ...others] = each as [RobustCurve, ...RobustCurve[]];
  if (others.length > 0) return seriesOf(group, each.map(points));
  const band = at.map((x) => {
    const { lower, upper } = only.at(x).interval[bound]!;
    return { x, low: 100 * lower, high: 100 * upper };
  });
  return [{ style: markStyle(group.regularizer), points: points(only), band }];
}

/** Robust accuracy at a few ε, a row a regularizer: by attacks and proved, mean ± standard deviation over networks, of one an interval; '' where none is known. */
export function robustTable(report: Report): string {
  const all = curvesOf(report);
  const epsilons = fewEpsilons(report.networks);
  if (all.length === 0 || epsilons.length === 0) return '';
  const spread = (values: readonly number[]): string => {
    const deviation = standardDeviation(values);
    return plusMinus(100 * mean(values), deviation === null ? null : 100 * deviation, 1);
  };
  const sides = (curves: readonly RobustCurve[], epsilon: number): readonly [string, string | null] => {
    const certified = certifiedAt(curves, epsilon);
    if (curves.length > 1)
      return [spread(attackedAt(curves, epsilon)), certified.length === 0 ? null : spread(certified)];
    const { attacked, certified: sure, interval } = curves[0]!.at(epsilon);
    const alone = (share: number, around: Interval): string => `${(100 * share).toFixed(1)}<br>${within(around)}`;
    return [alone(attacked, interval.attacked), sure === null ? null : alone(sure, interval.certified!)];
  };
  const rows = all.map(({ group, curves }) => {
    const bounded = curves.filter(({ proved }) => proved > 0);
    const samples = count(mean(curves.map((one) => one.samples)));
    const proved = bounded.length > 0 ? count(mean(bounded.map((one) => one.proved))) : samples;
    return [
      escaped(group.label),
      String(curves.length),
      both(samples, proved === samples ? null : proved),
      ...epsilons.map((epsilon) => both(...sides(curves, epsilon))),
    ];
  });
  return table(
    `Robust accuracy in per cent of all test samples, misclassified ones counted as 0: the share that stays right under perturbations up to ε (l2, in ${distanceUnit(report.networks)}). First what attacks leave (${attacksOf(report)}), an upper bound; then what is proved. Over several networks mean ± standard deviation; of one Wilson's 95 % interval over its samples, at its test accuracy.${crossChecks(all)}`,
    ['Regularizer', 'Networks', 'Samples', ...epsilons.map((epsilon) => `ε = ${number(epsilon)}`)],
    rows,
  );
}

const both = (attacked: string, proved: string | null): string =>
  `${attacked}${proved === null ? '' : `<br>proved ${proved}`}`;

/** ' At ε = 1.5 APGD leaves 43.0 %, the others 43.2 % (none): APGD breaks 2 samples more.'; '' without attacks at a fixed ε. */
function crossChecks(all: readonly Curves[]): string {
  return all
    .flatMap(({ group, curves }) => {
      const checks = curves.flatMap(({ fixed }) => fixed);
      const kinds = new Map(checks.map(({ name, epsilon }) => [`${name} ${epsilon}`, { name, epsilon }]));
      return [...kinds.values()].map(({ name, epsilon }) => {
        const own = checks.filter((one) => one.name === name && one.epsilon === epsilon);
        const more = own.reduce((sum, one) => sum + one.more, 0);
        const [left, others] = [own.map(({ attacked }) => attacked), own.map(({ byOthers }) => byOthers)];
        const broken = `${name} breaks ${count(more)} ${more === 1 ? 'sample' : 'samples'} that no other attack does`;
        return ` At ε = ${number(epsilon)} ${name} leaves ${percent(mean(left))}, the other attacks ${percent(mean(others))} (${group.label}): ${more > 0 ? broken : `no sample more is broken by ${name}`}.`;
      });
    })
    .join('');
}

/** The same as numbers, for the JSON of a network; null where it has none. */
export function robustJson(network: Report['networks'][0], epsilons: readonly number[]): object | null {
  const curve = robustCurve(network);
  if (curve === null) return null;
  const { samples, proved, fixed } = curve;
  const at = epsilons.map((epsilon) => ({ epsilon, ...curve.at(epsilon) }));
  return { samples, proved, at, ...(fixed.length > 0 && { fixed }) };
}
