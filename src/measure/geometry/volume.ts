import { look } from '../../plot/colors.js';
import { type Figure, widthOf } from '../../plot/figures-figure.js';
import { number } from '../../plot/format.js';
import { colorBar } from '../../plot/heat-map.js';
import { quantile } from '../../plot/report-statistics.js';
import type { Geometry, Report } from '../networks/record.js';
import { groups } from '../networks/report-groups.js';
import { headed, told } from '../networks/settings.js';
import { entitled, type Shown } from '../paper.js';
import { type Mapped, mapped, middleOf, seedsOf } from './chosen.js';
import { map } from './figures-map.js';

/** A quantity of the metric g = ∇Φᵀ∇Φ that maps are drawn of. */
interface Quantity {
  readonly shown: Shown;
  readonly slug: string;
  readonly title: string;
  readonly label: string;
  readonly of: (geometry: Geometry) => ArrayLike<number>;
}

const VOLUME: Quantity = {
  ...{
    shown: 'volume',
    slug: 'volume',
    title: 'Volume element of the feature map',
    label: 'log √det g (natural logarithm)',
  },
  of: ({ logVolume }) => logVolume,
};

const EIGENVALUE: Quantity = {
  ...{ shown: 'eigenvalue', slug: 'top-eigenvalue', title: 'Largest stretch of the feature map' },
  label: 'log √λmax(g) (natural logarithm)',
  of: ({ topEigenvalue }) => Array.from(topEigenvalue, (value) => (value > 0 ? 0.5 * Math.log(value) : Number.NaN)),
};

const NEAR = 0.5; // of a training point; the corners of XOR are 2 apart

/** How much the feature map enlarges small areas of the plane (figure 3b of the paper). */
export const volume = (report: Report, kind: Geometry['kind']): Figure | null => heat(report, kind, VOLUME);

/** How far it stretches a small step at most: what the certificate and the regularizer are about. */
export const topEigenvalue = (report: Report, kind: Geometry['kind']): Figure | null => heat(report, kind, EIGENVALUE);

function heat(report: Report, kind: Geometry['kind'], { shown, slug, title, label, of }: Quantity): Figure | null {
  const all = mapped(groups(report), kind).map((each) => ({ ...each, values: of(each.geometry) }));
  const finite = all.flatMap(({ values }) => Array.from(values).filter(Number.isFinite));
  if (finite.length === 0) return null;
  const scale = { low: quantile(finite, 0.01)!, high: quantile(finite, 0.995)! };
  const columns = Math.min(4, Math.max(2, new Set(all.map(({ group }) => group.regularizer)).size));
  const plane = kind === 'plane';
  const gray = all.some(({ values }) => Array.from(values).some((value) => !Number.isFinite(value)));
  return {
    ...entitled(
      shown,
      report.pipeline,
      plane ? `plane-${slug}` : slug,
      `${title}${plane ? ', on a plane through three test images' : ''}`,
    ),
    panels: headed(
      all.map(({ group, network, geometry, values }) => ({
        setting: group.setting,
        panel: map(geometry, {
          ...{ title: group.regularizer, color: look(group.regularizer).light, width: widthOf(columns) },
          ...{ layer: { values, scale }, names: (label: number) => network.classes[label] ?? String(label) },
        }),
      })),
    ),
    columns,
    legend: [],
    key: colorBar(scale, label),
    reading: `g is the metric that the feature map Φ pulls back to the input; one network a regularizer (${seedsOf(all)}), one scale for all panels, from the first to the 99.5th percentile. Light: small input changes move the features far; white line: the decision boundary${gray ? '; gray: no value, for g has no full rank there' : ''}.`,
    outcome: plane
      ? `median over the plane. ${told(all, ({ group, values }) => `${group.regularizer} ${middle(Array.from(values))}`)}`
      : `median within ${NEAR} of a training point, and over the whole plane. ${told(all, (each) => `${each.group.regularizer} ${middle(near(each, each.values))} and ${middle(Array.from(each.values))}`)}`,
  };
}

function near({ geometry }: Mapped, values: ArrayLike<number>): number[] {
  return Array.from(values).filter((_, cell) => {
    const { x, y } = middleOf(geometry, cell);
    return geometry.points.some((point) => Math.hypot(point.x - x, point.y - y) <= NEAR);
  });
}

const middle = (values: readonly number[]): string => number(quantile(values.filter(Number.isFinite), 0.5));
