import { type DrawnFigure, type Panel, regularizers, WIDTH } from '../../plot/figure.js';
import { curves, type Series, thinned } from '../../plot/panels.js';
import { mean } from '../../plot/statistics.js';
import { markStyle } from '../../plot/style.js';
import { number, percent } from '../../plot/table.js';
import { groups, type SeedGroup } from '../networks/groups.js';
import type { CurvePoint, NetworkReport, Report } from '../networks/record.js';
import { summarizeGroup } from '../networks/summary.js';

/** What a panel of curves over epochs is told. */
export interface EpochCurves {
  readonly label: string;
  readonly width: number;
  readonly height: number;
  readonly scale: 'log' | 'linear' | 'per cent';
  readonly of: (network: NetworkReport) => readonly CurvePoint[];
}

const SINGLY = 3; // networks of a group drawn each; more are drawn as their range
const POINTS = 120; // of a curve: more is finer than the paper it is printed on

/** What the reader of such a panel is told of the spread over seeds. */
export function spreadReading(groups: readonly SeedGroup[]): string {
  const most = Math.max(...groups.map(({ networks }) => networks.length));
  if (most > SINGLY) return 'Line: mean over seeds; shaded: from the least to the greatest seed.';
  return most > 1 ? 'Thin: one network each; thick: their mean.' : 'One line a network.';
}

/** The same, with rules and axes. */
export function curvesReading(groups: readonly SeedGroup[]): string {
  const networks = groups.flatMap((group) => group.networks);
  const on = networks.some(({ burnIn }) => burnIn)
    ? ' The dashed rule is where burn-in ends and the regularizer is switched on.'
    : '';
  return `${spreadReading(groups)}${on}${forkReading(networks)} Vertical axes need not begin at zero.`;
}

/** What a reader is told of forks, with a space before; '' where there is none. */
function forkReading(networks: readonly NetworkReport[]): string {
  const forks = new Map(networks.flatMap(({ origin }) => (origin ? [[`${origin.run} ${origin.update}`, origin]] : [])));
  const said = [...forks.values()].map(
    ({ run, update, curves }) =>
      ` The rule at update ${update} is where the run was forked from ${run}${Object.keys(curves).length > 0 ? '; dotted: how that one went on (the mean over seeds)' : ''}.`,
  );
  return said.join('');
}

/** Curves over epochs, colored by regularizer, with a rule where the regularizer is switched on. */
export function epochCurves(groups: readonly SeedGroup[], { label, width, height, scale, of }: EpochCurves): Panel {
  const factor = scale === 'per cent' ? 100 : 1;
  const usable = ({ epoch, value }: CurvePoint) =>
    Number.isFinite(epoch) && Number.isFinite(value) && (scale !== 'log' || value > 0);
  const series = groups.flatMap((group) => {
    const points = (network: NetworkReport) =>
      thinned(of(network).filter(usable), POINTS).map(({ epoch, value }) => ({ x: epoch, y: value * factor }));
    return [...forkedFrom(group, points), ...seriesOf(group, group.networks.map(points))];
  });
  const networks = groups.flatMap((group) => group.networks);
  const rules = [...burnInRules(networks), ...forkRules(networks)];
  const ariaLabel = `${label} over epochs: ${groups.map((group) => group.regularizer).join(', ')}`;
  return curves(series, {
    label,
    ariaLabel,
    width,
    height,
    rules,
    x: 'epoch',
    scale: scale === 'log' ? scale : 'linear',
  });
}

/** A rule at each update where a run was forked from another. */
const forkRules = (networks: readonly NetworkReport[]): { x: number; text: string }[] => [
  ...new Map(
    networks.flatMap(({ origin }) =>
      origin ? [[origin.update, { x: origin.epoch, text: `fork at update ${origin.update}` }]] : [],
    ),
  ).values(),
];

/** How the networks of the run that a group was forked from went on, as their mean: up to the fork both are the same. */
function forkedFrom(
  { regularizer, networks }: SeedGroup,
  points: (network: NetworkReport) => readonly { x: number; y: number }[],
): Series[] {
  const each = networks.flatMap(({ origin, ...network }) => {
    if (origin === undefined) return [];
    const before = points({ ...network, curves: origin.curves, sigma: origin.sigma, measurements: {} });
    const from = before.findLastIndex(({ x }) => x <= origin.epoch);
    return [before.slice(Math.max(0, from))];
  });
  const { middle } = meanAndRange(each.filter((one) => one.length > 1));
  return middle.length > 1 ? [{ style: markStyle(regularizer), points: middle, dotted: true }] : [];
}

/** A rule at each epoch where a regularizer is switched on. */
export const burnInRules = (networks: readonly NetworkReport[]): { x: number; text: string }[] =>
  [...new Set(networks.map(({ burnIn }) => burnIn))].flatMap((x) => (x ? [{ x, text: 'regularizer on' }] : []));

/** The curves of a group, of each network given: their mean, with their range where they are many, else with each of them. */
export function seriesOf({ regularizer }: SeedGroup, each: readonly (readonly { x: number; y: number }[])[]): Series[] {
  const style = markStyle(regularizer);
  const { middle, range } = meanAndRange(each.filter((points) => points.length > 0));
  if (each.length > SINGLY) return [{ style, points: middle, band: range }];
  const thin = each.length > 1 ? each.map((points) => ({ style, points, thin: true })) : [];
  return [...thin, { style, points: middle }];
}

/** Mean and range over networks, at the epochs that all of them were measured at. */
function meanAndRange(networks: readonly (readonly { x: number; y: number }[])[]) {
  const at = networks.map((points) => new Map(points.map(({ x, y }) => [x, y])));
  const shared = (networks[0] ?? []).map(({ x }) => x).filter((x) => at.every((values) => values.has(x)));
  const all = shared.map((x) => ({ x, values: at.map((values) => values.get(x)!) }));
  return {
    middle: all.map(({ x, values }) => ({ x, y: mean(values) })),
    range: all.map(({ x, values }) => ({ x, low: Math.min(...values), high: Math.max(...values) })),
  };
}

const FIRST = ['training loss', 'test loss', 'test accuracy'];

/** Every curve that was measured, over epochs: losses on a log scale, accuracies in per cent. */
export function learning(report: Report): DrawnFigure | null {
  const all = groups(report);
  const measured = [...new Set(report.networks.flatMap((network) => Object.keys(network.curves)))].filter((name) =>
    report.networks.some((network) => (network.curves[name]?.length ?? 0) > 1),
  );
  const names = [
    ...FIRST.filter((name) => measured.includes(name)),
    ...measured.filter((name) => !FIRST.includes(name)),
  ];
  if (names.length === 0) return null;
  return {
    title: 'Learning curves',
    panels: names.map((name) =>
      epochCurves(all, {
        label: `${name}${/accuracy/.test(name) ? ', %' : /loss/.test(name) ? ' (log scale)' : ''}`,
        width: names.length % 3 === 0 ? WIDTH.third : WIDTH.half,
        height: 290,
        scale: /accuracy/.test(name) ? 'per cent' : /loss/.test(name) ? 'log' : 'linear',
        of: (network) => network.curves[name] ?? [],
      }),
    ),
    columns: names.length % 3 === 0 ? 3 : 2,
    legend: regularizers(all),
    reading: curvesReading(all),
    outcome: `at the end, mean over seeds: ${names.map((name) => ends(name, all)).join('; ')}.`,
  };
}

function ends(name: string, all: readonly SeedGroup[]): string {
  const values = all.flatMap(({ label, networks }) => {
    const last = networks.flatMap((network) => network.curves[name]?.at(-1)?.value ?? []);
    return last.length > 0 ? [`${label} ${/accuracy/.test(name) ? percent(mean(last)) : number(mean(last))}`] : [];
  });
  return `${name}: ${values.join(', ')}`;
}

/** The top singular value of each layer over epochs, a panel a layer (as figure E.1 of the paper). */
export function sigma(report: Report): DrawnFigure | null {
  const all = groups(report);
  const layers = [...new Set(report.networks.flatMap((network) => Object.keys(network.sigma)))].filter((layer) =>
    report.networks.some((network) => (network.sigma[layer]?.length ?? 0) > 1),
  );
  if (layers.length === 0) return null;
  const wide = layers.length < 3;
  const many = layers.length > 6;
  const reported = layers.length <= 4 ? layers : [layers[0]!, layers.at(-1)!];
  const summaries = all.map(summarizeGroup);
  const ends = reported.map((layer) => {
    const values = summaries.map(({ label, sigma: last }) => `${label} ${number(last[layer]?.mean)}`);
    return `${layer}: ${values.join(', ')}`;
  });
  return {
    title: 'Spectral norm of each layer over the training',
    panels: layers.map((layer) =>
      epochCurves(all, {
        label: `σ of ${layer}`,
        width: wide ? WIDTH.half : many ? WIDTH.quarter : WIDTH.third,
        height: wide ? 290 : many ? 170 : 220,
        scale: 'linear',
        of: (network) => network.sigma[layer] ?? [],
      }),
    ),
    columns: wide ? 2 : many ? 4 : 3,
    legend: regularizers(all),
    reading: `σ, the largest singular value of each layer as a linear map. ${curvesReading(all)}`,
    outcome: `at the end, mean over seeds: ${ends.join('; ')}.`,
  };
}
