import { type DrawnFigure, type LegendEntry, widthOf } from '../../plot/figure.js';
import { colorBar } from '../../plot/panels.js';
import { mean, quantile } from '../../plot/statistics.js';
import { classStyle, markStyle } from '../../plot/style.js';
import { count, number } from '../../plot/table.js';
import { bySetting, groups, headed } from '../networks/groups.js';
import type { NetworkReport, Report } from '../networks/record.js';
import { unitOfInputs } from '../networks/summary.js';
import { classesOf, type Mapped, map, mapped, margins, middleOf, seedsOf } from './map.js';
import type { Geometry } from './record.js';

/** The predicted class at every point of the plane, with the training points. */
export function boundaries(report: Report): DrawnFigure | null {
  const all = mapped(groups(report), 'grid');
  if (all.length === 0) return null;
  return {
    title: 'Decision boundaries',
    ...maps(all),
    reading: `The input plane of one network a regularizer (${seedsOf(all)}), at the end of training. Shaded: the predicted class; line: the decision boundary; marks: the training points, colored by their class. Axes in ${unitOf(all)}.`,
    outcome: `nearest cell of another class, least and mean over the training points (cell ${cell(all)}): ${all
      .map((each) => {
        const values = margins(each.geometry);
        return `${each.group.regularizer} ${values.length > 0 ? `${number(Math.min(...values))} and ${number(mean(values))}` : 'none'}`;
      })
      .join('; ')}.`,
  };
}

/** The same on a plane through three test images. */
export function planeBoundaries(report: Report): DrawnFigure | null {
  const all = mapped(groups(report), 'plane');
  if (all.length === 0) return null;
  const wrong = all.map(({ group, geometry }) => {
    const { classes, points } = geometry;
    const cells = Array.from(classes);
    const own = new Set(points.map(({ label }) => label));
    const others = cells.filter((label) => !own.has(label)).length / Math.max(1, cells.length);
    return `${group.regularizer} ${classesOf(geometry).length} classes, ${(100 * others).toFixed(0)} % of the plane in none of the three`;
  });
  return {
    title: 'Decision boundaries on a plane through three test images',
    ...maps(all),
    reading: `The plane through three test images (marks), a network a regularizer (${seedsOf(all)}). Shaded: the predicted class, named where its region is large enough; line: the boundary. Axes: l2 distance in the plane, in ${unitOf(all)}.`,
    outcome: `${wrong.join('; ')}.`,
  };
}

const unitOf = (all: readonly Mapped[]): string => unitOfInputs(all.map(({ geometry }) => geometry));

function maps(all: readonly Mapped[]) {
  const names = (label: number) => all[0]!.network.classes[label] ?? String(label);
  const columns = Math.min(4, Math.max(2, all.length));
  const legend = classLegend(
    all.map(({ geometry }) => geometry),
    names,
  );
  const named = legend.length > 2;
  return {
    panels: all.map(({ group, geometry }) =>
      map(geometry, {
        title: group.regularizer,
        color: markStyle(group.regularizer).light,
        width: widthOf(columns),
        layer: 'classes' as const,
        names,
        named,
      }),
    ),
    columns,
    legend,
  };
}

/** The classes that are predicted or labeled somewhere. */
function classLegend(all: readonly Geometry[], names: (label: number) => string): LegendEntry[] {
  const present = new Set(all.flatMap((geometry) => [...classesOf(geometry), ...geometry.points.map((p) => p.label)]));
  const labels = [...present].sort((a, b) => a - b);
  return labels.map((label) => ({ label: names(label), style: classStyle(label), mark: 'square' }));
}

function cell([first]: readonly Mapped[]): string {
  const { xMin, xMax, columns } = first!.geometry;
  return number((xMax - xMin) / columns, 2);
}

const MOST = 8; // snapshots drawn

/** The boundary at several epochs of one training (figure A.3b of the paper). */
export function snapshots(report: Report): DrawnFigure | null {
  const group = groups(report).find(({ networks }) => networks.some((network) => history(network).length > 2));
  const network = group?.networks.find((candidate) => history(candidate).length > 2);
  if (!group || !network) return null;
  const all = spaced(history(network));
  const names = (label: number) => network.classes[label] ?? String(label);
  const distances = all.map((geometry) => {
    const values = margins(geometry);
    return `${count(geometry.epoch)}: ${classesOf(geometry).length === 1 ? 'one class everywhere' : number(mean(values))}`;
  });
  return {
    title: 'The decision boundary over the training',
    panels: all.map((geometry) =>
      map(geometry, { title: `epoch ${count(geometry.epoch)}`, width: widthOf(4), layer: 'classes' as const, names }),
    ),
    columns: 4,
    legend: classLegend(all, names),
    reading: `The input plane of one network (${group.label}, seed ${network.seed}) as its training goes on. Shaded: the predicted class; line: the decision boundary; marks: the training points, colored by their class.`,
    outcome: `mean distance from a training point to the nearest cell of another class, by epoch: ${distances.join('; ')}.`,
  };
}

/** The geometries of the plane, one an epoch, in order. */
function history({ geometries = [] }: NetworkReport): Geometry[] {
  const plane = geometries.filter(({ kind }) => kind === 'grid');
  return [...new Map(plane.map((geometry) => [geometry.epoch, geometry])).values()].sort((a, b) => a.epoch - b.epoch);
}

/** As the paper has them: the epochs next to 0, 1, 2, 5, 10, 20, 50 …, and the last; of more than eight the earliest are left out. */
function spaced(all: readonly Geometry[]): Geometry[] {
  if (all.length <= MOST) return [...all];
  const last = all.at(-1)!;
  const series = [0, ...Array.from({ length: 8 }, (_, i) => [1, 2, 5].map((digit) => digit * 10 ** i)).flat()];
  const next = (epoch: number) =>
    all.reduce((best, one) => (Math.abs(one.epoch - epoch) < Math.abs(best.epoch - epoch) ? one : best));
  const once = [...new Set([...series.filter((epoch) => epoch < last.epoch).map(next), last])];
  return once.length <= MOST ? once : [once[0]!, ...once.slice(1 - MOST)];
}

/** A quantity of the metric g = ∇Φᵀ∇Φ that maps are drawn of. */
interface Quantity {
  readonly title: string;
  readonly label: string;
  readonly of: (geometry: Geometry) => ArrayLike<number>;
}

const VOLUME: Quantity = {
  title: 'Volume element of the feature map',
  label: 'log √det g (natural logarithm)',
  of: ({ logVolume }) => logVolume,
};

const EIGENVALUE: Quantity = {
  title: 'Largest stretch of the feature map',
  label: 'log √λmax(g) (natural logarithm)',
  of: ({ topEigenvalue }) => Array.from(topEigenvalue, (value) => (value > 0 ? 0.5 * Math.log(value) : Number.NaN)),
};

const NEAR = 0.5; // of a training point; the corners of XOR are 2 apart

/** How much the feature map enlarges small areas of the plane (figure 3b of the paper). */
export const volume = (kind: Geometry['kind']) => (report: Report) => heat(report, kind, VOLUME);

/** The largest stretch of a small step: the quantity of the certificate and the regularizer. */
export const topEigenvalue = (kind: Geometry['kind']) => (report: Report) => heat(report, kind, EIGENVALUE);

function heat(report: Report, kind: Geometry['kind'], { title, label, of }: Quantity): DrawnFigure | null {
  const all = mapped(groups(report), kind).map((each) => ({ ...each, values: of(each.geometry) }));
  const finite = all.flatMap(({ values }) => Array.from(values).filter(Number.isFinite));
  if (finite.length === 0) return null;
  const scale = { low: quantile(finite, 0.01)!, high: quantile(finite, 0.995)! };
  const columns = Math.min(4, Math.max(2, new Set(all.map(({ group }) => group.regularizer)).size));
  const plane = kind === 'plane';
  const gray = all.some(({ values }) => Array.from(values).some((value) => !Number.isFinite(value)));
  return {
    title: `${title}${plane ? ', on a plane through three test images' : ''}`,
    panels: headed(
      all.map(({ group, network, geometry, values }) => ({
        setting: group.setting,
        panel: map(geometry, {
          title: group.regularizer,
          color: markStyle(group.regularizer).light,
          width: widthOf(columns),
          layer: { values, scale },
          names: (label: number) => network.classes[label] ?? String(label),
        }),
      })),
    ),
    columns,
    legend: [],
    key: colorBar(scale, label),
    reading: `g is the metric that the feature map Φ pulls back to the input; one network a regularizer (${seedsOf(all)}), one scale for all panels, from the first to the 99.5th percentile. Light: small input changes move the features far; white line: the decision boundary${gray ? '; gray: no value, for g has no full rank there' : ''}.`,
    outcome: plane
      ? `median over the plane. ${bySetting(all, ({ group, values }) => `${group.regularizer} ${middle(Array.from(values))}`)}`
      : `median within ${NEAR} of a training point, and over the whole plane. ${bySetting(all, (each) => `${each.group.regularizer} ${middle(near(each, each.values))} and ${middle(Array.from(each.values))}`)}`,
  };
}

function near({ geometry }: Mapped, values: ArrayLike<number>): number[] {
  return Array.from(values).filter((_, cell) => {
    const { x, y } = middleOf(geometry, cell);
    return geometry.points.some((point) => Math.hypot(point.x - x, point.y - y) <= NEAR);
  });
}

const middle = (values: readonly number[]): string => number(quantile(values.filter(Number.isFinite), 0.5));
