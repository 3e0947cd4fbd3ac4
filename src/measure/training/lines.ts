import { look } from '../../plot/colors.js';
import { curves, type Series, thinned } from '../../plot/curves.js';
import type { Panel } from '../../plot/figures-figure.js';
import { mean } from '../../plot/report-statistics.js';
import type { CurvePoint, NetworkReport } from '../networks/record.js';
import type { Group } from '../networks/report-groups.js';

/** What a panel of curves over epochs is told. */
export interface Lines {
  readonly label: string;
  readonly width: number;
  readonly height: number;
  readonly scale: 'log' | 'linear' | 'per cent';
  readonly of: (network: NetworkReport) => readonly CurvePoint[];
}

const SINGLY = 3; // networks of a group drawn each; more are drawn as their range
const POINTS = 120; // of a curve: more is finer than the paper it is printed on

/** What the reader of such a panel is told of its lines. */
export function linesReading(groups: readonly Group[]): string {
  const most = Math.max(...groups.map(({ networks }) => networks.length));
  const many =
    most > SINGLY
      ? 'Line: mean over seeds; shaded: from the least to the greatest seed.'
      : most > 1
        ? 'Thin: one network each; thick: their mean.'
        : 'One line a network.';
  return `${many} The dashed rule is where burn-in ends and the penalty is switched on.`;
}

/** Curves over epochs, colored by regularizer, with a rule where the penalty is switched on. */
export function lines(groups: readonly Group[], { label, width, height, scale, of }: Lines): Panel {
  const factor = scale === 'per cent' ? 100 : 1;
  const usable = ({ epoch, value }: CurvePoint) =>
    Number.isFinite(epoch) && Number.isFinite(value) && (scale !== 'log' || value > 0);
  const series = groups.flatMap(({ regularizer, networks }): Series[] => {
    const single = networks.map((network) =>
      thinned(of(network).filter(usable), POINTS).map(({ epoch, value }) => ({ x: epoch, y: value * factor })),
    );
    const style = look(regularizer);
    const { middle, range } = together(single.filter((points) => points.length > 0));
    if (networks.length > SINGLY) return [{ look: style, points: middle, band: range }];
    const thin = networks.length > 1 ? single.map((points) => ({ look: style, points, thin: true })) : [];
    return [...thin, { look: style, points: middle }];
  });
  const burnIns = new Set(groups.flatMap(({ networks }) => networks.map(({ burnIn }) => burnIn)));
  const rules = [...burnIns].flatMap((epoch) => (epoch ? [{ x: epoch, text: 'penalty on' }] : []));
  const ariaLabel = `${label} over epochs: ${groups.map((group) => group.regularizer).join(', ')}`;
  return curves(series, {
    ...{ label, ariaLabel, width, height, rules },
    x: 'epoch',
    scale: scale === 'log' ? 'log' : 'linear',
  });
}

/** Mean and range over networks, at the epochs that all of them were measured at. */
function together(networks: readonly (readonly { x: number; y: number }[])[]) {
  const at = networks.map((points) => new Map(points.map(({ x, y }) => [x, y])));
  const shared = (networks[0] ?? []).map(({ x }) => x).filter((x) => at.every((values) => values.has(x)));
  const all = shared.map((x) => ({ x, values: at.map((values) => values.get(x)!) }));
  return {
    middle: all.map(({ x, values }) => ({ x, y: mean(values) })),
    range: all.map(({ x, values }) => ({ x, low: Math.min(...values), high: Math.max(...values) })),
  };
}
