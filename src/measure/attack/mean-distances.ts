import { type Column, columns, extent } from '../../plot/figures-columns.js';
import { type Figure, WIDTH } from '../../plot/figures-figure.js';
import { number, plusMinus } from '../../plot/format.js';
import { mean, standardDeviation } from '../../plot/report-statistics.js';
import { against } from '../networks/against.js';
import { exactMean, MEASURES, type Measure } from '../networks/measures.js';
import type { Report } from '../networks/record.js';
import { type Group, groups, settingsOf } from '../networks/report-groups.js';
import { summariseNetwork } from '../networks/report-summary.js';
import { told } from '../networks/settings.js';
import { entitled } from '../paper.js';

const [ATTACKED, EXACT] = ['Mean Δx', 'Mean exact Δx'].map(
  (name) => MEASURES.find((measure) => measure.name === name)!,
) as [Measure, Measure];

/**
 * Mean adversarial distance of each regularizer in each setting (figures 2 and E.2 of the paper).
 *
 * @param every whether noisy settings are drawn beside the clean ones (figure E.2)
 */
export function meanDistances(report: Report, every: boolean): Figure | null {
  const all = groups(report).filter(({ setting }) => every || !/noisy/i.test(setting));
  const drawn = all
    .map((group) => ({ group, column: column(group) }))
    .filter(({ column: { values } }) => values.length > 0);
  if (drawn.length === 0) return null;
  const domain = extent(groups(report).map(column)); // both figures on one scale
  const settings = settingsOf(drawn.flatMap(({ group }) => group.networks));
  const exact = drawn.some(({ column: { beside } }) => beside !== undefined && beside.values.length > 0);
  const counts = [...new Set(drawn.map(({ column: { values } }) => values.length))].sort((a, b) => a - b);
  const title = `Mean adversarial distance per regularizer${every ? ', clean and noisy data' : ''}`;
  return {
    ...entitled(every ? 'distances-noisy' : 'distances', report.pipeline, 'mean-distances', title),
    panels: settings.map((setting) => {
      const here = drawn.filter(({ group }) => group.setting === setting);
      return columns(
        here.map((each) => each.column),
        { label: `mean Δx${setting ? `, ${setting}` : ''}`, width: WIDTH.half, height: 270, show: 'bar', domain },
      );
    }),
    columns: 2,
    legend: [],
    reading: `Filled diamond: mean over ${counts.join(' to ')} seed${counts.at(-1) === 1 ? '' : 's'} of each network's mean Δx (l2, units of the input) by the Tangent Attack${iterations(report)}; bar: ± 1 standard deviation over seeds; gray: one network each.${exact ? ' Hollow: the same points, by a dense scan of directions: the exact distance, which the attack can only exceed.' : ''} The vertical axis does not begin at zero.`,
    outcome: [
      told(drawn, ({ group, column: each }) => sentence(group, each)),
      ...settings.map((setting) => {
        const here = drawn.filter(({ group }) => group.setting === setting).map(({ group }) => group);
        return against(
          report,
          here,
          exact ? EXACT : ATTACKED,
          `${exact ? 'Exact' : 'Mean'} Δx${setting && `, ${setting}`}`,
        );
      }),
    ]
      .filter(Boolean)
      .join(' '),
  };
}

function column(group: Group): Column {
  const values = known(group.networks.map((network) => summariseNetwork(network).meanDistance));
  const exact = known(group.networks.map(exactMean));
  return {
    ...{ label: group.regularizer, regularizer: group.regularizer, values, error: standardDeviation(values) },
    beside: { values: exact, error: standardDeviation(exact) },
  };
}

function sentence(group: Group, { values, error, beside }: Column): string {
  const exact = beside && beside.values.length > 0 ? ` (exact ${plusMinus(mean(beside.values), beside.error, 3)})` : '';
  return `${group.regularizer} ${error === null ? number(mean(values)) : plusMinus(mean(values), error, 3)}${exact}`;
}

/** ', T = 40, inputs kept in [0, 1]' as a phrase; nothing where no network was attacked. */
export function iterations({ networks }: Pick<Report, 'networks'>): string {
  const all = [
    ...new Set(
      networks.flatMap(({ attack, readout }) => [attack, readout?.attack].flatMap((a) => a?.iterations ?? [])),
    ),
  ];
  return all.length > 0 ? `, T = ${all.join(' and ')}${boxes(networks)}` : '';
}

const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

/** ', inputs kept in [0, 1]': what the attacks let an input be, by channel where these differ. */
function boxes(networks: Report['networks']): string {
  const all = networks.flatMap(({ attack, readout }) =>
    [attack?.box, readout?.attack?.box].flatMap((box) => box ?? []),
  );
  const told = new Set(all.map(({ min, max }) => rangeOf([min, max].map((bound) => [bound].flat()))));
  return told.size > 0 ? `, inputs kept in ${[...told].join(' and ')}` : '';
}

const short = (value: number): string => String(Number(value.toPrecision(3))).replace('-', '−');

function rangeOf([least = [], most = []]: readonly (readonly number[])[]): string {
  const n = Math.max(least.length, most.length);
  const ranges = Array.from(
    { length: n },
    (_, c) => `[${short(least[c % least.length]!)}, ${short(most[c % most.length]!)}]`,
  );
  return n === 1 ? ranges[0]! : `${ranges.join(' × ')} by channel`;
}
