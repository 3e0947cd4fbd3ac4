import { type DrawnFigure, type Panel, regularizers, seedsPhrase, WIDTH } from '../../plot/figure.js';
import { framed, Plot, panel } from '../../plot/panels.js';
import { mean, quantile, standardDeviation } from '../../plot/statistics.js';
import { markStyle } from '../../plot/style.js';
import { count, escaped, number, percent, plusMinus, table } from '../../plot/table.js';
import { groups, type SeedGroup } from '../networks/groups.js';
import type { Report } from '../networks/record.js';
import { fewEpsilons, type RobustCurve, robustCurve } from '../networks/robust-accuracy.js';
import { distanceUnit } from '../networks/summary.js';
import type { Interval } from '../readout/record.js';
import { attacksOf } from './distance-figure.js';

interface Curves {
  readonly group: SeedGroup;
  /** One a network. */
  readonly curves: readonly RobustCurve[];
}

const STEPS = 120; // of a curve

/** The share of all test samples that are still right at perturbations up to ε: by attacks from above, proved from below, the gap shaded. */
export function robustAccuracy(report: Report): DrawnFigure | null {
  const all = curvesOf(report);
  if (all.length === 0) return null;
  const proved = all.some(({ curves }) => curves.some((one) => one.proved > 0));
  const [first = 0, ...epsilons] = fewEpsilons(report.networks);
  const middle = epsilons[Math.floor((epsilons.length - 1) / 2)] ?? first;
  return {
    title: 'Robust accuracy over ε',
    panels: [draw(all)],
    columns: 2,
    legend: regularizers(all.map(({ group }) => group)),
    reading: `The share of all test samples, the misclassified ones counted as 0, that stay right under every perturbation of at most ε (l2, in ${distanceUnit(report.networks)}), mean over ${seedsPhrase(all.map(({ group }) => group))}. Upper line: no adversarial point found that near, by ${attacksOf(report)}.${proved ? ' Lower, thin line: proved, by the lower bounds of the samples that have one. The true share lies in the shaded gap.' : ' No sample has a proved lower bound, so there is no certified curve.'}`,
    outcome: `at ε = ${number(middle)}: ${all.map(({ group, curves }) => `${group.label} ${said(curves, middle)}`).join('; ')}.`,
  };
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
  return `at most ${alone(attacked, interval.attacked, single.samples)}${from}`;
}

/** The share of one network: 70.1 % (54.6 to 82.1), 40 samples. */
const alone = (share: number, { lower, upper }: Interval, samples: number): string =>
  `${percent(share)} (${[lower, upper].map((end) => (100 * end).toFixed(1)).join(' to ')}), ${samples} samples`;

function draw(all: readonly Curves[]): Panel {
  const ends = all.flatMap(({ curves }) => curves.map(({ end }) => end));
  const end = quantile(ends, 0.5)! || 1;
  const at = Array.from({ length: STEPS + 1 }, (_, i) => (end * i) / STEPS);
  return panel({
    ...framed(WIDTH.half, 290, [20, 20, 44, 52]),
    ariaLabel: 'Robust accuracy over ε per regularizer: by attacks from above and proved from below',
    x: { label: 'ε', domain: [0, end], labelAnchor: 'center', labelArrow: 'none' },
    y: { label: 'robust accuracy, %', domain: [0, 100], grid: true, labelArrow: 'none' },
    marks: all.flatMap(({ group, curves }) => {
      const { light, dash } = markStyle(group.regularizer);
      const points = at.map((x) => {
        const certified = certifiedAt(curves, x);
        const low = certified.length > 0 ? 100 * mean(certified) : Number.NaN;
        return { x, high: 100 * mean(attackedAt(curves, x)), low };
      });
      const gap = points.filter(({ low }) => Number.isFinite(low));
      const line = { stroke: light, strokeDasharray: dash };
      return [
        Plot.areaY(gap, { x: 'x', y1: 'low', y2: 'high', fill: light, fillOpacity: 0.14 }),
        Plot.line(gap, { x: 'x', y: 'low', ...line, strokeWidth: 1 }),
        Plot.line(points, { x: 'x', y: 'high', ...line, strokeWidth: 2 }),
      ];
    }),
  });
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
    const [curve] = curves as [RobustCurve];
    const one = curve.at(epsilon);
    return [
      alone(one.attacked, one.interval.attacked, curve.samples),
      one.certified === null ? null : alone(one.certified, one.interval.certified!, curve.proved),
    ];
  };
  const rows = all.map(({ group, curves }) => [
    escaped(group.label),
    String(curves.length),
    count(mean(curves.map(({ samples }) => samples))),
    ...epsilons.map((epsilon) => {
      const [attacked, certified] = sides(curves, epsilon);
      return `${attacked}${certified === null ? '' : `<br>proved ${certified}`}`;
    }),
  ]);
  return table(
    `Robust accuracy in per cent of all test samples, misclassified ones counted as 0: the share that stays right under perturbations up to ε (l2, in ${distanceUnit(report.networks)}). First what attacks leave (${attacksOf(report)}), an upper bound; then what is proved. Over several networks mean ± standard deviation; of one Wilson's 95 % interval over its samples, at its test accuracy.${crossChecks(all)}`,
    ['Regularizer', 'Networks', 'Samples', ...epsilons.map((epsilon) => `ε = ${number(epsilon)}`)],
    rows,
  );
}

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
