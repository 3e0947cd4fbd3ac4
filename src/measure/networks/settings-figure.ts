import { type DrawnFigure, type Panel, regularizers, seedsPhrase, WIDTH } from '../../plot/figure.js';
import { Plot, panel } from '../../plot/panels.js';
import { mean } from '../../plot/statistics.js';
import { markStyle } from '../../plot/style.js';
import { NONE, number, percent } from '../../plot/table.js';
import { groups } from './groups.js';
import { frontOf, type Placed, settingRanking } from './ranking.js';
import type { NetworkReport, Report } from './record.js';
import { distanceUnit, MEASURES, type Measure } from './summary.js';

const SHOWN = ['Test accuracy, %', 'Mean Δx'].map((name) => MEASURES.find((measure) => measure.name === name)!);

/** Accuracy and mean distance over each key that differs between settings, every network a dot; null where none differs. */
export function overSettings(report: Report): DrawnFigure | null {
  const ranking = settingRanking(report);
  if (ranking === null) return null;
  const { keys } = ranking;
  const own = report.networks.filter((network) => network.pipeline === report.pipeline);
  const panels = keys.flatMap((key, i) =>
    SHOWN.flatMap((measure) => {
      const made = overKey(report, { key, at: i, networks: own, measure });
      return made === null ? [] : [made];
    }),
  );
  if (panels.length === 0) return null;
  const all = groups({ ...report, networks: own });
  const others = keys.length > 1 ? ', whatever the other keys were,' : '';
  const [best] = ranking.placed;
  return {
    title: 'Accuracy and adversarial distance over what differs',
    panels,
    columns: 2,
    legend: regularizers(all),
    reading: `Small dots: one network each, side by side by regularizer; line and large dot: their mean${others} at each value. Values stand in order, evenly spaced. Δx: l2, in ${distanceUnit(own)}. Vertical axes do not begin at zero.`,
    outcome: `${seedsPhrase(all)} a setting and regularizer; first of ${ranking.placed.length} by ${ranking.measure.name} is ${inWords(best!, keys)}.`,
  };
}

interface Swept {
  readonly key: string;
  /** Which of the keys that differ. */
  readonly at: number;
  readonly networks: readonly NetworkReport[];
  readonly measure: Measure;
}

function overKey(report: Report, { key, at, networks, measure }: Swept): Panel | null {
  const { conditions } = report.differences!.find(({ pipeline }) => pipeline === report.pipeline)!;
  const valueIn = ({ setting = '' }: NetworkReport) =>
    conditions.find((condition) => condition.setting === setting)?.values[at] ?? NONE;
  const values = [...new Set(networks.map(valueIn))].sort(byNumber);
  const names = [...new Set(groups({ ...report, networks }).map(({ regularizer }) => regularizer))];
  const drawn = names.map((regularizer, i) => {
    const shift = names.length < 2 ? 0 : 0.4 * (i / (names.length - 1) - 0.5);
    const dots = networks.flatMap((network) => {
      const y = measure.of(network);
      return network.regularizer !== regularizer || y === null || !Number.isFinite(y)
        ? []
        : [{ x: values.indexOf(valueIn(network)) + shift, y: measure.scale * y }];
    });
    const places = [...new Set(dots.map(({ x }) => x))].sort((a, b) => a - b);
    const means = places.map((x) => ({ x, y: mean(dots.filter((dot) => dot.x === x).map(({ y }) => y)) }));
    return { style: markStyle(regularizer), dots, means };
  });
  if (values.length < 2 || drawn.every(({ dots }) => dots.length === 0)) return null;
  return panel({
    width: WIDTH.half,
    height: 250,
    marginLeft: 52,
    marginTop: 28,
    marginBottom: 42,
    ariaLabel: `${measure.name} over ${key}: ${values.join(', ')}`,
    x: { domain: [-0.5, values.length - 0.5], label: key, labelAnchor: 'center', labelArrow: 'none', axis: null },
    y: { label: measure.name, grid: true, nice: true, ticks: 6, labelArrow: 'none' },
    marks: [
      Plot.axisX(
        values.map((_, i) => i),
        { label: key, labelAnchor: 'center', labelArrow: 'none', tickSize: 0, tickFormat: (i: number) => values[i]! },
      ),
      ...drawn.flatMap(({ style: { light, dash }, dots, means }) => [
        Plot.line(means, { x: 'x', y: 'y', stroke: light, strokeWidth: 2, strokeDasharray: dash }),
        Plot.dot(dots, { x: 'x', y: 'y', r: 2.6, fill: light, fillOpacity: 0.45 }),
        Plot.dot(means, { x: 'x', y: 'y', r: 5, fill: light, stroke: 'white', strokeWidth: 1.5 }),
      ]),
    ],
  });
}

/** Numbers in their order, and words behind them. */
function byNumber(a: string, b: string): number {
  const [left, right] = [Number(a), Number(b)];
  if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
  return left - right;
}

/** Every setting by its mean accuracy and mean distance, numbered as in the ranking; null for fewer than two that have both. */
export function front(report: Report): DrawnFigure | null {
  const ranking = settingRanking(report);
  const points = (ranking?.placed ?? []).filter(
    ({ accuracy, distance }) => accuracy.mean !== null && distance.mean !== null,
  );
  if (ranking === null || points.length < 2) return null;
  const best = frontOf(ranking);
  const x = ({ accuracy }: Placed) => 100 * accuracy.mean!;
  const y = ({ distance }: Placed) => distance.mean!;
  const bars = points.flatMap((point) => {
    const [wide, high] = [100 * (point.accuracy.standardDeviation ?? 0), point.distance.standardDeviation ?? 0];
    const color = markStyle(point.group.regularizer).light;
    return [
      { color, x1: x(point) - wide, x2: x(point) + wide, y1: y(point), y2: y(point) },
      { color, x1: x(point), x2: x(point), y1: y(point) - high, y2: y(point) + high },
    ];
  });
  return {
    title: 'Accuracy against adversarial distance',
    panels: [
      panel({
        width: WIDTH.half,
        height: 300,
        marginLeft: 52,
        marginTop: 28,
        marginBottom: 42,
        marginRight: 24,
        ariaLabel: `Mean test accuracy and mean adversarial distance of ${points.length} settings; not surpassed in both: ${best.map((one) => inWords(one, ranking.keys)).join('; ')}`,
        x: { label: 'test accuracy, %', labelAnchor: 'center', labelArrow: 'none', grid: true, inset: 14, ticks: 6 },
        y: { label: 'mean Δx', labelArrow: 'none', grid: true, inset: 14, ticks: 6 },
        marks: [
          Plot.line(best, {
            x,
            y,
            curve: 'step-before',
            stroke: 'currentColor',
            strokeOpacity: 0.5,
            strokeDasharray: '3 3',
          }),
          Plot.link(bars, {
            x1: 'x1',
            x2: 'x2',
            y1: 'y1',
            y2: 'y2',
            stroke: 'color',
            strokeOpacity: 0.45,
            strokeWidth: 1.2,
          }),
          Plot.dot(points, {
            x,
            y,
            r: 6,
            stroke: 'white',
            strokeWidth: 1.5,
            fill: ({ group }: Placed) => markStyle(group.regularizer).light,
          }),
          Plot.text(points, {
            x,
            y,
            dx: 9,
            dy: -9,
            textAnchor: 'start',
            fill: 'currentColor',
            stroke: 'white',
            strokeWidth: 3,
            text: ({ place }: Placed) => String(place ?? ''),
            fontWeight: 600,
          }),
        ],
        color: { type: 'identity' },
      }),
    ],
    columns: 1,
    legend: regularizers(points.map(({ group }) => group)).map((entry) => ({ ...entry, mark: 'dot' as const })),
    reading:
      'Dot: mean over seeds of a setting and regularizer, with its place in the ranking; bars: ± 1 standard deviation over seeds; dashed: the front, whose settings no other surpasses in both. Axes do not begin at zero.',
    outcome: `on the front: ${best
      .map(
        (one) =>
          `${one.place}, ${inWords(one, ranking.keys)} (${percent(one.accuracy.mean)}, Δx ${number(one.distance.mean)})`,
      )
      .join('; ')}.`,
  };
}

/** 'rep-spectral with gamma = 0.05'. */
export function inWords({ group, values }: Placed, keys: readonly string[]): string {
  const said = keys.flatMap((key, i) => (values[i] === 'any' ? [] : [`${key} = ${values[i]}`]));
  return said.length === 0 ? group.regularizer : `${group.regularizer} with ${said.join(', ')}`;
}
