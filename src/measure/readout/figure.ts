import { type DrawnFigure, regularizers, WIDTH } from '../../plot/figure.js';
import { curves, type Series } from '../../plot/panels.js';
import { mean } from '../../plot/statistics.js';
import { markStyle, SEED } from '../../plot/style.js';
import { percent } from '../../plot/table.js';
import { groups, type SeedGroup } from '../networks/groups.js';
import type { NetworkReport, Report } from '../networks/record.js';
import { fitSentences } from '../networks/summary.js';
import { burnInRules, curvesReading, seriesOf } from '../training/figure.js';
import type { Interval, OnlineReadout } from './record.js';

/** The accuracy of a readout that is refitted while a representation is learned, beside one on the untrained network. */
export function onlineReadout(report: Report): DrawnFigure | null {
  const all = groups(report).flatMap((group) => {
    const networks = group.networks.filter((network) => probesOf(network).length > 1);
    return networks.length > 0 ? [{ ...group, networks }] : [];
  });
  if (all.length === 0) return null;
  const networks = all.flatMap((group) => group.networks);
  const last = Math.max(...networks.map((network) => probesOf(network).at(-1)!.epoch));
  const start = untrainedOf(networks);
  const said = fitSentences(networks.flatMap(({ probes = [] }) => probes));
  const single = all.every((group) => group.networks.length === 1);
  return {
    title: 'Accuracy of a readout while the representation is learned',
    panels: [
      curves([...(start ? [level(start, last)] : []), ...all.flatMap(series)], {
        label: 'test accuracy of the readout, %',
        x: 'epoch',
        width: WIDTH.full,
        height: 320,
        scale: 'linear',
        rules: burnInRules(networks),
      }),
    ],
    columns: 1,
    legend: [
      ...regularizers(all),
      ...(start ? [{ label: 'untrained network', style: { ...SEED, dash: UNTRAINED }, mark: 'line' as const }] : []),
    ],
    reading: `At every point a multinomial logistic readout is fitted anew to the frozen features of the training samples, and tested. ${single ? `Shaded: Wilson's 95 % interval over the test samples.` : curvesReading(all)}${start ? ` Gray: the same readout on the untrained network${start.several ? ', mean over networks' : ', with its interval'}.` : ''} The vertical axis does not begin at zero.`,
    outcome: `${all.map(ends).join('; ')}.${start ? ` On the untrained network: ${within(start)}.` : ''}${said ? ` ${said}` : ''}`,
  };
}

const UNTRAINED = '5 4';

/** In order of epoch, without the untrained network's own: that is a level of its own. */
const probesOf = (network: NetworkReport): readonly OnlineReadout[] =>
  (network.probes ?? []).filter(({ epoch }) => epoch > 0);

type Found = Interval & { readonly accuracy: number };

/** Of the only untrained network; of several their mean, without an interval. */
function untrainedOf(networks: readonly NetworkReport[]): (Found & { readonly several: boolean }) | null {
  const all = networks.flatMap((network) => network.probes?.find(({ untrained }) => untrained)?.untrained ?? []);
  const [first] = all;
  if (!first) return null;
  const alike = all.every(({ accuracy }) => accuracy === first.accuracy);
  return alike
    ? { ...first, several: false }
    : { accuracy: mean(all.map(({ accuracy }) => accuracy)), lower: Number.NaN, upper: Number.NaN, several: true };
}

function level({ accuracy, lower, upper }: Found, last: number): Series {
  const ends = [0, last];
  return {
    style: { ...SEED, dash: UNTRAINED },
    points: ends.map((x) => ({ x, y: 100 * accuracy })),
    band: ends.map((x) => ({ x, low: 100 * lower, high: 100 * upper })),
  };
}

/** One network with its intervals; of several their mean, with their range where they are more than three. */
function series(group: SeedGroup): Series[] {
  const each = group.networks.map(probesOf);
  const curves = each.map((probes) => probes.map(({ epoch, accuracy }) => ({ x: epoch, y: 100 * accuracy })));
  const [first, ...others] = each;
  if (others.length > 0) return seriesOf(group, curves);
  const band = first!.map(({ epoch, lower, upper }) => ({ x: epoch, low: 100 * lower, high: 100 * upper }));
  return [{ style: markStyle(group.regularizer), points: curves[0]!, band }];
}

function ends({ label, networks }: SeedGroup): string {
  const last = networks.map((network) => probesOf(network).at(-1)!);
  const [only] = last;
  if (last.length === 1) return `${label} ends at ${within({ ...only!, several: false })}`;
  const values = last.map(({ accuracy }) => accuracy);
  return `${label} ends at ${percent(mean(values))} (${percent(Math.min(...values))} to ${percent(Math.max(...values))} over ${values.length} networks)`;
}

function within({ accuracy, lower, upper, several }: Found & { readonly several: boolean }): string {
  if (several) return `${percent(accuracy)} (mean over networks)`;
  return `${percent(accuracy)} (95 % interval ${percent(lower)} to ${percent(upper)})`;
}
