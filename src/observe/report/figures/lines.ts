import { look } from '../colours.js';
import type { CurvePoint, NetworkReport } from '../data.js';
import type { Group } from '../groups.js';
import { mean } from '../statistics.js';
import type { Panel } from './figure.js';
import { Plot, panel } from './plot.js';
import { logTicks, plain } from './ticks.js';

/** What a panel of curves over epochs is told. */
export interface Lines {
  readonly label: string;
  readonly width: number;
  readonly height: number;
  readonly scale: 'log' | 'linear' | 'per cent';
  readonly of: (network: NetworkReport) => readonly CurvePoint[];
}

/** Curves over epochs, coloured by regulariser, with a rule where the penalty is switched on; many seeds thin, their mean thick. */
export function lines(groups: readonly Group[], { label, width, height, scale, of }: Lines): Panel {
  const factor = scale === 'per cent' ? 100 : 1;
  const usable = ({ epoch, value }: CurvePoint) =>
    Number.isFinite(epoch) && Number.isFinite(value) && (scale !== 'log' || value > 0);
  const curves = groups.map(({ regulariser, networks }) => {
    const single = networks.map((network) => of(network).filter(usable));
    const scaled = single.map((points) =>
      thin(points, width / 2).map(({ epoch, value }) => ({ epoch, value: value * factor })),
    );
    return { regulariser, networks: scaled, middle: middle(scaled) };
  });
  const points = curves.flatMap(({ networks }) => networks.flat());
  const last = points.reduce((most, { epoch }) => Math.max(most, epoch), 0);
  const values = points.map(({ value }) => value);
  const burnIns = [...new Set(groups.flatMap(({ networks }) => networks.map(({ burnIn }) => burnIn)))].filter(
    (epoch): epoch is number => epoch !== null && epoch > 0 && epoch < last,
  );
  const left = burnIns.some((epoch) => epoch > last / 2);
  return panel({
    width,
    height,
    marginLeft: 52,
    marginTop: 30,
    marginBottom: 42,
    marginRight: 14,
    ariaLabel: `${label} over epochs, a line for each network`,
    x: { label: 'epoch', labelAnchor: 'center', labelArrow: 'none', domain: [0, last || 1], ticks: width / 70 },
    y: {
      label,
      grid: true,
      labelArrow: 'none',
      ...(scale === 'log'
        ? { type: 'log' as const, ticks: logTicks(values), tickFormat: plain }
        : { nice: true, ticks: 6 }),
    },
    marks: [
      Plot.ruleX(burnIns, { stroke: 'currentColor', strokeOpacity: 0.55, strokeDasharray: '4 3' }),
      Plot.text(burnIns.slice(0, 1), {
        x: (epoch: number) => epoch,
        text: () => 'penalty on',
        frameAnchor: 'top',
        textAnchor: left ? 'end' : 'start',
        dx: left ? -5 : 5,
        dy: 3,
        fillOpacity: 0.8,
      }),
      ...curves.flatMap(({ regulariser, networks }) =>
        networks.length < 2
          ? []
          : networks.map((line) =>
              Plot.line(line, { x: 'epoch', y: 'value', stroke: look(regulariser).light, strokeOpacity: 0.3 }),
            ),
      ),
      ...curves.map(({ regulariser, middle: line }) => {
        const { light, dash } = look(regulariser);
        return Plot.line(line, { x: 'epoch', y: 'value', stroke: light, strokeWidth: 2.2, strokeDasharray: dash });
      }),
    ],
  });
}

/** The mean over networks, at the epochs that all of them were measured at. */
function middle(networks: readonly (readonly CurvePoint[])[]): CurvePoint[] {
  const measured = networks.filter((points) => points.length > 0);
  const at = measured.map((points) => new Map(points.map(({ epoch, value }) => [epoch, value])));
  return (measured[0] ?? [])
    .filter(({ epoch }) => at.every((values) => values.has(epoch)))
    .map(({ epoch }) => ({ epoch, value: mean(at.map((values) => values.get(epoch)!)) }));
}

/** Every k-th point and the last, so that about as many are left. */
function thin(points: readonly CurvePoint[], left: number): readonly CurvePoint[] {
  const stride = Math.ceil(points.length / left);
  return points.filter((_, i) => i % stride === 0 || i === points.length - 1);
}
