import type { Differences, Report } from '../measure/networks/record.js';
import { escaped } from '../plot/escaped.js';
import { NONE } from '../plot/format.js';
import { table } from '../plot/tables-table.js';

const RUNS = 3; // of one row that are named; of more there is a count

/** What differs between runs, a row for those that are alike and a table for each pipeline; '' where nothing does. */
export function differencesTables({ differences = [] }: Report): string {
  return differences.map((each) => differencesTable(each, differences.length > 1)).join('\n');
}

function differencesTable({ pipeline, keys, conditions }: Differences, several: boolean): string {
  const rows = conditions.map(({ setting, values, runs }) => [
    escaped(setting || 'otherwise'),
    ...values.map((value) => (value === null ? NONE : escaped(value))),
    runs.length > RUNS ? `${runs.length} runs` : runs.map((run) => `<code>${escaped(run)}</code>`).join('<br>'),
  ]);
  const of = several ? ` (${pipeline})` : '';
  return table(
    `A row for runs that were made alike but for the seed${of}: only those of one row are repetitions, and methods are compared within it.`,
    ['Setting', ...keys, 'Runs'],
    rows,
  );
}
