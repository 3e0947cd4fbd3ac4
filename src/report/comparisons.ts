import { type Compared, comparisons, correction, probability, tested } from '../measure/networks/comparisons.js';
import type { Report } from '../measure/networks/record.js';
import { escaped } from '../plot/escaped.js';
import { NONE } from '../plot/format.js';
import { name, table } from '../plot/tables-table.js';

const SHOWN = /accuracy|Δx/i; // of the measures: bounds are compared in the JSON

/** Method against method, a row a pair, with difference, interval and p of each measure, the test and its n; '' for none. */
export function comparisonsTable(report: Report): string {
  const all = comparisons(report).filter(({ measure }) => SHOWN.test(measure.name));
  if (all.length === 0) return '';
  const measures = [...new Set(all.map(({ measure }) => measure))];
  const pipelines = new Set(all.map(({ pipeline }) => pipeline)).size;
  const places = new Set(all.map(({ pipeline, setting }) => `${pipeline} ${setting}`)).size;
  const allowed = correction(report);
  const rows = [...grouped(all).values()].map((pair) => {
    const { a, b, pipeline, setting } = pair[0]!;
    const where = [...(pipelines > 1 ? [pipeline] : []), setting].filter(Boolean).join(', ');
    return [
      name(`${places > 1 && where ? `${where}: ` : ''}${a.regularizer} less ${b.regularizer}`, a.regularizer),
      [...new Set(pair.map(tested))].join('<br>'),
      ...measures.map((measure) => cell(pair.find((each) => each.measure === measure))),
    ];
  });
  return table(
    `Difference of the means (and for how many seeds the former is greater), its 95 % interval and two-sided p, each of that difference alone${allowed && `; then p with ${allowed}: below 0.05 it holds however many there are`}. Paired over seeds wherever both were trained from the same ones (Student’s t on the differences), else Welch’s t.`,
    ['Pair', 'Test', ...measures.map((measure) => measure.name)],
    rows,
  );
}

function grouped(all: readonly Compared[]): Map<string, Compared[]> {
  const pairs = new Map<string, Compared[]>();
  for (const each of all) {
    const key = JSON.stringify([each.pipeline, each.setting, each.a.regularizer, each.b.regularizer]);
    pairs.set(key, [...(pairs.get(key) ?? []), each]);
  }
  return pairs;
}

function cell(compared: Compared | undefined): string {
  if (!compared) return NONE;
  const { difference, test, measure, corrected } = compared;
  const shown = (value: number) => (measure.scale * value).toFixed(measure.places ?? 4);
  const size = difference >= 0 ? `+${shown(difference)}` : shown(difference);
  if (test === null || test.lower === null) return size;
  const holm = corrected === null ? '' : `<br>Holm ${escaped(probability(corrected))}`;
  const p = test.p === null ? '' : `<br>p ${escaped(probability(test.p))}${holm}`;
  const greater = test.greater === null ? '' : ` (${test.greater} of ${test.n})`;
  return `<strong>${size}</strong>${greater}<br>${shown(test.lower)} to ${shown(test.upper!)}${p}`;
}
