import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import pc from 'picocolors';
import { WeirError } from '../flow/errors.js';
import { suggestion } from '../flow/options.js';
import { textTable, toOutput } from '../flow/terminal.js';
import { count, NONE, number, percent } from '../plot/table.js';
import { type ListedRun, listRuns, type StreamResult } from '../run/results.js';
import { runsUnder } from './status.js';

const heads = ['run', 'pipeline', 'state', 'epoch', 'regularizer', 'accuracy', 'mean distance'] as const;

/**
 * Runs as aligned lines, a line for each regularizer of a run; 'no runs' where there are none. The distance is that of the first attack;
 * that of the nearest points of all has a column where some network was attacked by several.
 */
export function runTable(runs: readonly ListedRun[]): string[] {
  if (runs.length === 0) return ['no runs'];
  const keys = [...new Set(runs.flatMap(({ differs }) => Object.keys(differs)))];
  const best = runs.some(({ results }) => results.some(({ bestDistance }) => bestDistance !== undefined));
  const rows = runs.flatMap((run) => {
    const results: readonly (StreamResult | undefined)[] = run.results.length === 0 ? [undefined] : run.results;
    return results.map((result, i) => [
      ...(i === 0 ? aboutCells(run, keys) : blank(4 + keys.length)),
      ...resultCells(result),
      ...(best ? [number(result?.bestDistance ?? null)] : []),
    ]);
  });
  const [head, ...lines] = textTable([
    [...heads.slice(0, 4), ...keys, ...heads.slice(4), ...(best ? ['mean best distance'] : [])],
    ...rows,
  ]);
  return [pc.dim(head!), ...lines];
}

const blank = (cells: number): string[] => Array.from({ length: cells }, () => '');

function aboutCells({ path, pipeline, state, epoch, epochs, differs }: ListedRun, keys: readonly string[]): string[] {
  const of = epochs === null ? '' : `/${count(epochs)}`;
  return [
    path,
    pipeline || NONE,
    state,
    epoch === null ? NONE : `${count(epoch)}${of}`,
    ...keys.map((key) => text(differs[key])),
  ];
}

function resultCells(result: StreamResult | undefined): string[] {
  if (result === undefined) return [NONE, NONE, NONE];
  const { regularizer, networks, shared, accuracy, accuracyOf, distance } = result;
  const notes = [...(networks === 1 ? [] : [String(networks)]), ...(shared ? ['shared'] : [])];
  const of = accuracyOf === undefined ? '' : ` (${accuracyOf})`; // else it would pass for the test accuracy
  return [
    notes.length === 0 ? regularizer : `${regularizer} (${notes.join(', ')})`,
    `${percent(accuracy)}${of}`,
    number(distance),
  ];
}

const text = (value: unknown): string => {
  if (value === undefined) return NONE;
  return Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value);
};

/**
 * Runs sorted by a column: results from the best on, other columns ascending. Runs without a value come last.
 *
 * @param column 'accuracy', 'distance', 'bestDistance', 'run', 'pipeline', 'state', 'epoch' or a key in which runs differ
 * @throws {WeirError} for any other column
 */
export function sortedRuns(runs: readonly ListedRun[], column: string): ListedRun[] {
  const keys = [...new Set(runs.flatMap(({ differs }) => Object.keys(differs)))];
  const columns = ['created', 'run', 'pipeline', 'state', 'epoch', 'accuracy', 'distance', 'bestDistance', ...keys];
  if (!columns.includes(column)) {
    const all = `the columns are ${columns.join(', ')}`;
    throw new WeirError(`weir ls cannot sort by '${column}'`, suggestion(column, columns, all));
  }
  const best = column === 'accuracy' || column === 'distance' || column === 'bestDistance';
  const cellOf = (run: ListedRun): unknown => {
    if (best) return run.results.reduce<number | null>((most, one) => greater(most, one[column] ?? null), null);
    if (column === 'created') return run.createdAt;
    if (column === 'run') return run.path;
    return column === 'pipeline' || column === 'state' || column === 'epoch' ? run[column] : run.differs[column];
  };
  return runs.toSorted((a, b) => {
    const [one, other] = [cellOf(a) ?? null, cellOf(b) ?? null];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    if (typeof one === 'number' && typeof other === 'number') return best ? other - one : one - other;
    return text(one).localeCompare(text(other), 'en', { numeric: true });
  });
}

const greater = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.max(one, other);

/** `weir ls [FOLDER]`: the runs in a folder beside each other. */
export function command(): Command {
  return new Command('ls')
    .description(
      'list the runs in a folder: state, what differs in their configs, accuracy and mean adversarial distance',
    )
    .argument('[folder]', 'a folder of runs, of a sweep or of an experiment', 'runs')
    .addOption(
      new Option(
        '--sort <column>',
        'accuracy, distance or bestDistance (the best first), epoch, state, or a key',
      ).default('created'),
    )
    .option('--json', 'print the list as JSON')
    .addHelpText('after', '\nExample:\n  weir ls runs/sweep-mnist --sort accuracy')
    .action(async (folder: string, settings: { readonly sort: string; readonly json?: boolean }) => {
      if (!existsSync(folder)) throw new WeirError(`there is no folder ${folder}`, 'name a folder with runs in it');
      const runs = sortedRuns(await listRuns(runsUnder(folder)), settings.sort);
      toOutput(settings.json ? `${JSON.stringify(runs, undefined, 2)}\n` : `${runTable(runs).join('\n')}\n`);
    });
}
