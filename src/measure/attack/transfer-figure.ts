import { BOXED, type GroupedColumn, grouped } from '../../plot/columns.js';
import { type DrawnFigure, type LegendEntry, seedsPhrase, WIDTH } from '../../plot/figure.js';
import { mean, standardDeviation } from '../../plot/statistics.js';
import { markStyle, type Transfer, transferOf } from '../../plot/style.js';
import { number, percent, plusMinus } from '../../plot/table.js';
import { apart, basis, compared, tested } from '../networks/comparison.js';
import { byOrder, groups, type SeedGroup } from '../networks/groups.js';
import type { Report } from '../networks/record.js';
import { distanceUnit, type Measure, measureCalled } from '../networks/summary.js';
import { attackWords } from './distance-figure.js';

const [ACCURACY, DISTANCE] = [measureCalled('Test accuracy, %'), measureCalled('Mean Δx')];

/** A group of networks that were trained twice, with the value of each. */
type Combination = Transfer & { readonly group: SeedGroup; readonly values: readonly number[] };

/** Mean adversarial distance of each combination of regularizers at pretraining and fine-tuning (figure 8 of the paper). */
export function transferDistances(report: Report): DrawnFigure | null {
  const all = combinations(report, DISTANCE);
  if (all.length === 0) return null;
  return {
    title: 'Mean adversarial distance after fine-tuning',
    panels: [distances(all, WIDTH.full)],
    columns: 1,
    legend: pretrainings(all),
    reading: `${categories(all)} ${bars(all)} ${measured(report)}`,
    outcome: outcome(report, all, DISTANCE, 'Δx'),
  };
}

/** Test accuracy of the same networks (figure E.6 of the paper). */
export function transferAccuracies(report: Report): DrawnFigure | null {
  const all = combinations(report, ACCURACY);
  if (all.length === 0) return null;
  return {
    title: 'Test accuracy after fine-tuning',
    panels: [accuracies(all, WIDTH.full)],
    columns: 1,
    legend: pretrainings(all),
    reading: `${categories(all)} ${marks(all)} The vertical axis does not begin at zero.`,
    outcome: outcome(report, all, ACCURACY, 'Test accuracy'),
  };
}

/** Both of them side by side, for data sets of which the paper has one figure (figure E.7 of the paper). */
export function transferBoth(report: Report): DrawnFigure | null {
  const [accuracy, distance] = [combinations(report, ACCURACY), combinations(report, DISTANCE)];
  const all = accuracy.length > 0 ? accuracy : distance;
  if (all.length === 0) return null;
  return {
    title: 'Test accuracy and mean adversarial distance after fine-tuning',
    panels: [
      ...(accuracy.length > 0 ? [accuracies(accuracy, WIDTH.half)] : []),
      ...(distance.length > 0 ? [distances(distance, WIDTH.half)] : []),
    ],
    columns: 2,
    legend: pretrainings(all),
    reading: `${categories(all)} Left, on an axis that does not begin at zero: ${lower(marks(all))} Right: ${lower(bars(all))} ${measured(report)}`,
    outcome: [
      ...(accuracy.length > 0 ? [outcome(report, accuracy, ACCURACY, 'Test accuracy')] : []),
      ...(distance.length > 0 ? [outcome(report, distance, DISTANCE, 'Δx')] : []),
    ].join(' '),
  };
}

/** Groups that were trained twice and have the measure: by fine-tuning, within it by pretraining. */
function combinations(report: Report, measure: Measure): Combination[] {
  return groups(report)
    .flatMap((group): Combination[] => {
      const both = transferOf(group.regularizer);
      const values = group.networks.flatMap((network) => measure.of(network) ?? []);
      return both && values.length > 0 ? [{ ...both, group, values }] : [];
    })
    .sort((a, b) => byOrder(a.finetuned, b.finetuned) || byOrder(a.pretrained, b.pretrained));
}

const FRAME = { axis: 'regularizer at fine-tuning', height: 320 };

const distances = (all: readonly Combination[], width: number) =>
  grouped(members(all, DISTANCE), { ...FRAME, label: 'mean adversarial distance Δx', width, show: 'bars' });

const accuracies = (all: readonly Combination[], width: number) =>
  grouped(members(all, ACCURACY), { ...FRAME, label: 'test accuracy, %', width, show: 'spread' });

function members(all: readonly Combination[], { scale }: Measure): GroupedColumn[] {
  return all.map(({ group, pretrained, finetuned, values }) => {
    const scaled = values.map((value) => scale * value);
    return {
      label: group.regularizer,
      regularizer: pretrained,
      category: finetuned,
      hollow: pretrained === 'none',
      values: scaled,
      error: standardDeviation(scaled),
    };
  });
}

function pretrainings(all: readonly Combination[]): LegendEntry[] {
  const names = [...new Set(all.map(({ pretrained }) => pretrained))].sort(byOrder);
  return names.map((name) => ({
    label: name === 'none' ? 'pretrained without a regularizer' : `pretrained with ${name}`,
    style: markStyle(name),
    mark: name === 'none' ? 'frame' : 'square',
  }));
}

const seeds = (all: readonly Combination[]): string => seedsPhrase(all.map(({ group }) => group));

function categories(all: readonly Combination[]): string {
  const several = new Set(all.map(({ pretrained }) => pretrained)).size > 1;
  return `From left to right: what the network was fine-tuned with${several ? '; at each place: what it was pretrained with' : ''}.`;
}

const most = (all: readonly Combination[]): number => Math.max(...all.map(({ values }) => values.length));

function bars(all: readonly Combination[]): string {
  if (most(all) === 1) return 'Bars, from zero: mean Δx of one network each (one seed).';
  return `Bars, from zero: mean over ${seeds(all)} of each network's mean Δx; black: ± 1 standard deviation over seeds; gray dots: one network each.`;
}

function marks(all: readonly Combination[]): string {
  if (most(all) === 1) return 'Diamonds: one network each (one seed).';
  const boxed = most(all) >= BOXED;
  return `Diamond: mean over ${seeds(all)}; ${boxed ? 'box: quartiles, its thick line the median, its whiskers the least and the greatest seed' : 'bar: ± 1 standard deviation over seeds'}; gray dots: one network each.`;
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

const measured = (report: Report): string =>
  `Δx: l2, in ${distanceUnit(report.networks)}, over correctly classified test samples, ${attackWords(report)}.`;

/** The means, the greatest of them, and what each stage's regularizer did with the other stage as it was. */
function outcome(report: Report, all: readonly Combination[], measure: Measure, what: string): string {
  const { scale, name } = measure;
  const per = name.endsWith('%');
  const shown = ({ values }: Combination): string => {
    const spread = standardDeviation(values);
    if (!per) return plusMinus(mean(values), spread, 3);
    return spread === null ? percent(mean(values), 2) : `${plusMinus(scale * mean(values), scale * spread, 2)} %`;
  };
  const means = all.map((each) => `${each.group.regularizer} ${shown(each)}`).join('; ');
  const best = all.reduce((most, each) => (mean(each.values) > mean(most.values) ? each : most));
  const points = per ? ', points of per cent' : '';
  return [
    `${what}, pretraining > fine-tuning: ${means}.${all.length > 1 ? ` Greatest: ${best.group.regularizer}.` : ''}`,
    differences(report, all, measure, {
      what: `${what}${points}, pretrained with`,
      changed: 'pretrained',
      same: 'finetuned',
      under: 'fine-tuned with',
    }),
    differences(report, all, measure, {
      what: `${what}${points}, fine-tuned with`,
      changed: 'finetuned',
      same: 'pretrained',
      under: 'pretrained with',
    }),
  ]
    .filter(Boolean)
    .join(' ');
}

interface Changed {
  readonly what: string;
  readonly changed: keyof Transfer;
  readonly same: keyof Transfer;
  readonly under: string;
}

/** Each regularizer of one stage less none, with the other stage the same; '' where there is no such pair. */
function differences(
  report: Report,
  all: readonly Combination[],
  measure: Measure,
  { what, changed, same, under }: Changed,
): string {
  const pairs = all.flatMap((each) => {
    const plain = all.find((other) => other[same] === each[same] && other[changed] === 'none');
    if (!plain || plain === each) return [];
    const pair = compared(report, [each.group, plain.group], measure);
    return pair ? [{ each, pair, share: pair.difference / mean(plain.values) }] : [];
  });
  if (pairs.length === 0) return '';
  const tests = [...new Set(pairs.map(({ pair }) => tested(pair)))];
  const one = tests.length === 1;
  const said = [...new Set(pairs.map(({ each }) => each[changed]))].map((name) => {
    const ways = pairs
      .filter(({ each }) => each[changed] === name)
      .map(({ each, pair, share }) => {
        const relative = measure === DISTANCE ? ` (${share >= 0 ? '+' : ''}${number(100 * share, 2)} %)` : '';
        return `${apart(pair)}${relative} ${under} ${each[same]}${one ? '' : ` (${tested(pair)})`}`;
      });
    return `${name} less none ${ways.join(', ')}`;
  });
  const behind = basis(
    report,
    pairs.map(({ pair }) => pair),
  );
  return `${what}${one ? ` (${tests[0]}${behind})` : ''}: ${said.join('; ')}.`;
}
