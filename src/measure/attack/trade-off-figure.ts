import { type DrawnFigure, type Panel, WIDTH } from '../../plot/figure.js';
import { caption, framed, Plot, panel } from '../../plot/panels.js';
import { mean } from '../../plot/statistics.js';
import { classStyle } from '../../plot/style.js';
import { number, percent } from '../../plot/table.js';
import { planar } from '../networks/groups.js';
import type { Report } from '../networks/record.js';

interface Point {
  readonly x: number;
  readonly y: number;
  readonly label: 0 | 1;
}

/** A boundary as x of y: what is left of it is told to be of class 0. */
interface Scenario {
  readonly name: string;
  readonly boundary: (y: number) => number;
}

/** Points of the plane that are of one class: the i-th x with the i-th y. */
const points = (label: 0 | 1, xs: readonly number[], ys: readonly number[]): Point[] =>
  xs.map((x, i) => ({ x, y: ys[i]!, label }));

const POINTS: readonly Point[] = [
  ...points(0, [-1.5, -1.0, -1.7, -1.1, -1.6], [1.55, 0.75, -0.15, -0.95, -1.7]),
  ...points(1, [1.2, 1.65, 1.05, 1.6, 1.5], [1.15, 0.35, -0.5, -1.3, 1.85]),
];

const CLOSE = 0.22; // how near the second scenario's boundary comes to each point
const ENDS = 2.2; // of the drawing, in y

const SCENARIOS: readonly Scenario[] = [
  { name: '1. Far, but often wrong', boundary: () => 2.6 },
  { name: '2. Right, but close', boundary: winding },
  { name: '3. Right and far', boundary: () => 0 },
];

/** The trade-off between accuracy and adversarial distance, as a drawn toy: no data of a run. */
export function tradeOff({ networks }: Report): DrawnFigure | null {
  if (!networks.some(planar) || !networks.some(({ attack }) => attack)) return null;
  const drawn = SCENARIOS.map(drawScenario);
  return {
    title: 'Accuracy and adversarial distance, three scenarios',
    panels: drawn.map(({ panel: made }) => made),
    columns: 3,
    legend: [
      { label: 'class 0', style: classStyle(0), mark: 'dot' },
      { label: 'class 1', style: classStyle(1), mark: 'square' },
    ],
    reading:
      'A drawing, not a measurement: ten points of two classes and three boundaries. Shaded: the predicted class; dotted: from each correctly classified point to the nearest point of the boundary, its adversarial distance; crossed: misclassified points, which have none.',
    outcome: `as drawn, ${drawn.map(({ name, accuracy, distance }) => `${name.slice(3).toLowerCase()}: accuracy ${percent(accuracy, 0)}, mean distance ${number(distance)}`).join('; ')}.`,
  };
}

function drawScenario({ name, boundary }: Scenario) {
  const line = Array.from({ length: 401 }, (_, i) => {
    const y = -ENDS + (2 * ENDS * i) / 400;
    return { x: boundary(y), y };
  });
  const nearest = (point: Point) =>
    line.reduce((best, at) =>
      Math.hypot(at.x - point.x, at.y - point.y) < Math.hypot(best.x - point.x, best.y - point.y) ? at : best,
    );
  const right = POINTS.filter(({ x, y, label }) => (x < boundary(y) ? 0 : 1) === label);
  const wrong = POINTS.filter((point) => !right.includes(point));
  const arms = right.map((point) => ({ ...point, to: nearest(point) }));
  const distance = mean(arms.map(({ x, y, to }) => Math.hypot(to.x - x, to.y - y)));
  const accuracy = right.length / POINTS.length;
  const coarse = line.filter((_, i) => i % 4 === 0);
  const made: Panel = panel({
    ...framed(WIDTH.third, 264, [42, 4, 6, 4]),
    ariaLabel: `${name}: accuracy ${percent(accuracy, 0)}, mean adversarial distance ${number(distance)}`,
    x: { domain: [-2.4, 3], axis: null },
    y: { domain: [-ENDS, ENDS], axis: null },
    marks: [
      Plot.areaX(coarse, { y: 'y', x1: () => -2.4, x2: 'x', fill: classStyle(0).light, fillOpacity: 0.2 }),
      Plot.areaX(coarse, { y: 'y', x1: 'x', x2: () => 3, fill: classStyle(1).light, fillOpacity: 0.2 }),
      Plot.line(coarse, { x: 'x', y: 'y', stroke: 'currentColor', strokeWidth: 2 }),
      Plot.link(arms, {
        x1: 'x',
        y1: 'y',
        x2: ({ to }) => to.x,
        y2: ({ to }) => to.y,
        stroke: 'currentColor',
        strokeWidth: 1.3,
        strokeDasharray: '2 2.5',
      }),
      ...([0, 1] as const).map((label) =>
        Plot.dot(
          POINTS.filter((point) => point.label === label),
          { x: 'x', y: 'y', r: 6, symbol: classStyle(label).symbol, fill: classStyle(label).light, stroke: 'white' },
        ),
      ),
      Plot.dot(wrong, { x: 'x', y: 'y', r: 7, symbol: 'times', stroke: 'currentColor', strokeWidth: 2 }),
      Plot.frame({ stroke: 'currentColor', strokeOpacity: 0.6 }),
      caption(name, { dy: -38, fontWeight: 600 }),
      caption(`accuracy ${percent(accuracy, 0)}, mean Δx ${number(distance)}`, { dy: -20 }),
    ],
  });
  return { name, accuracy, distance, panel: made };
}

/** A boundary that passes close by every point, on its right side: cosine arcs from one to the next in order of height. */
function winding(y: number): number {
  const passed = POINTS.map((p) => ({ x: p.label === 0 ? p.x + CLOSE : p.x - CLOSE, y: p.y }));
  const stations = [...passed, { x: -0.2, y: -ENDS - 0.3 }, { x: 0.2, y: ENDS + 0.3 }].sort((a, b) => a.y - b.y);
  const above = stations.findIndex((station) => station.y >= y);
  const [low, high] = [stations[above - 1]!, stations[above]!];
  const share = (1 - Math.cos((Math.PI * (y - low.y)) / (high.y - low.y))) / 2;
  return low.x + share * (high.x - low.x);
}
