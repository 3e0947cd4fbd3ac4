import { look, SEED } from '../colours.js';
import type { Report } from '../data.js';
import { percent, plusMinus } from '../format.js';
import { type Group, groups } from '../groups.js';
import { paperShowed } from '../paper.js';
import { type Spread, summariseGroup, summariseNetwork } from '../summary.js';
import { type Figure, type Panel, WIDTH } from './figure.js';
import { Plot, panel } from './plot.js';

/** One group in one panel: its mean, how sure that is, and the value of each network. */
interface Column {
  readonly label: string;
  readonly regulariser: string;
  readonly mean: number;
  readonly error: number | null;
  readonly values: readonly number[];
}

/** Test accuracy and mean adversarial distance of each regulariser, every seed a dot (as figure 4 of the paper). */
export function robustness(report: Report): Figure | null {
  const all = groups(report);
  const accuracies = all.flatMap((group) => column(group, summariseGroup(group).testAccuracy, null, 100));
  const distances = all.flatMap((group) => column(group, summariseGroup(group).meanDistance, ofSamples(group), 1));
  const panels = [
    ...(accuracies.length > 0 ? [draw(accuracies, 'test accuracy, %')] : []),
    ...(distances.length > 0 ? [draw(distances, 'mean adversarial distance Δx')] : []),
  ];
  if (panels.length === 0) return null;
  return {
    id: 'robustness',
    title: 'Accuracy and adversarial distance per regulariser',
    panels,
    columns: 2,
    legend: [],
    reading:
      'Grey dots: one network each. Diamond: mean of the networks; bar: ± one standard error over them, or over test samples for the distance of a single network.',
    paper: paperShowed('robustness', report.pipeline),
    outcome: `Here: ${all.map(said).join('; ')}.`,
  };
}

function column(group: Group, spread: Spread, fallback: number | null, scale: number): Column[] {
  const { mean, values } = spread;
  if (mean === null) return [];
  const error = spread.standardError ?? fallback;
  const scaled = values.map((value) => value * scale);
  const { label, regulariser } = group;
  return [{ label, regulariser, mean: mean * scale, error: error === null ? null : error * scale, values: scaled }];
}

/** Standard error over the samples of the only network attacked. */
function ofSamples(group: Group): number | null {
  const found = group.networks.map(summariseNetwork).filter((summary) => summary.meanDistance !== null);
  return found.length === 1 ? found[0]!.standardError : null;
}

function draw(columns: readonly Column[], label: string): Panel {
  const bounds = columns.flatMap(({ mean, error, values }) => [mean - (error ?? 0), mean + (error ?? 0), ...values]);
  const [least, most] = [Math.min(...bounds), Math.max(...bounds)];
  const air = (most - least || Math.abs(most) * 0.1 || 1) * 0.12;
  // Seeds stand side by side in the order of their number, so that equal values do not hide one another.
  const dots = columns.flatMap(({ label: x, values }) =>
    values.map((y, i) => ({ x, y, dx: values.length > 1 ? -20 + (40 * i) / (values.length - 1) : 20 })),
  );
  const shifts = [...new Set(dots.map(({ dx }) => dx))];
  return panel({
    width: WIDTH.half,
    height: 300,
    marginLeft: 52,
    marginTop: 28,
    marginBottom: 46,
    ariaLabel: `${label}: ${columns.map((c) => `${c.label} ${plusMinus(c.mean, c.error)}`).join(', ')}`,
    x: {
      domain: columns.map((c) => c.label),
      label: null,
      tickFormat: (label: string) => folded(label, columns.length),
      tickSize: 0,
    },
    y: { domain: [least - air, most + air], label, grid: true, ticks: 6, labelArrow: 'none' },
    marks: [
      ...shifts.map((dx) =>
        Plot.dot(
          dots.filter((dot) => dot.dx === dx),
          { x: 'x', y: 'y', dx, r: 3.2, fill: SEED.light, fillOpacity: 0.75 },
        ),
      ),
      ...columns.flatMap((c) => {
        const { light } = look(c.regulariser);
        const bar = c.error === null ? [] : [{ x: c.label, low: c.mean - c.error, high: c.mean + c.error }];
        const caps = bar.flatMap(({ x, low, high }) => [
          { x, y: low },
          { x, y: high },
        ]);
        return [
          Plot.ruleX(bar, { x: 'x', y1: 'low', y2: 'high', stroke: light, strokeWidth: 2 }),
          Plot.tickY(caps, { x: 'x', y: 'y', stroke: light, strokeWidth: 2, inset: 0, insetLeft: 34, insetRight: 34 }),
          Plot.dot([c], {
            x: 'label',
            y: 'mean',
            r: 6,
            symbol: 'diamond',
            fill: light,
            stroke: 'white',
            strokeWidth: 1,
          }),
        ];
      }),
    ],
  });
}

/** A name on two lines where one would run into the next. */
function folded(label: string, columns: number): string {
  const room = columns > 4 ? 8 : 13; // letters
  return label.length > room ? label.replace(': ', ':\n').replace(/-(?=[^-]*$)/, '-\n') : label;
}

function said(group: Group): string {
  const { testAccuracy, meanDistance } = summariseGroup(group);
  const error = meanDistance.standardError ?? ofSamples(group);
  const distance = meanDistance.mean === null ? 'not attacked' : `Δx ${plusMinus(meanDistance.mean, error)}`;
  return `${group.label} ${percent(testAccuracy.mean)}, ${distance}`;
}
