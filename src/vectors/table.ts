import { basename } from 'node:path';
import pc from 'picocolors';
import { part } from './compare.js';
import type { CheckedCase, CheckedFile, Problem } from './vectors-check.js';

/** The results as lines: a table a file, a row a case with its largest deviation, and what it comes to. */
export function vectorTables(files: readonly CheckedFile[]): string[] {
  return [...files.flatMap((file) => [...table(file), '']), summary(files)];
}

function table({ path, kind, source, cases, problem }: CheckedFile): string[] {
  const title = `${pc.bold(basename(path))}${kind === '' ? '' : `  ${kind}`}`;
  if (problem !== undefined) return [title, ...failure('', problem)];
  const rows = cases.map((one) => [one.name, ...cells(one)]);
  const head = ['case', 'furthest off', 'deviation', 'allowed', 'part'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  return [
    title + (source === '' ? '' : pc.dim(`  (${source})`)),
    `  ${pc.dim(`  ${line(head)}`)}`,
    ...cases.flatMap((one, i) =>
      one.problem === undefined
        ? [`  ${one.ok ? pc.green('✓') : pc.red('✗')} ${line(rows[i]!)}`]
        : failure(`${one.name}: `, one.problem),
    ),
  ];
}

function cells({ deviations }: CheckedCase): string[] {
  const [worst] = deviations;
  if (worst === undefined) return [];
  return [worst.of, shown(worst.deviation), shown(worst.allowed), part(worst).toFixed(3)];
}

const shown = (value: number): string => (Number.isFinite(value) ? value.toExponential(1) : 'no number');

const failure = (name: string, { message, remedy }: Problem): string[] => [
  `  ${pc.red('✗')} ${name}${message}`,
  ...(remedy === undefined ? [] : [`    ${pc.dim('→')} ${remedy}`]),
];

function summary(files: readonly CheckedFile[]): string {
  const cases = files.flatMap((file) => file.cases);
  const out = cases.filter(({ ok }) => !ok).length;
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
  const unread = files.filter(({ outcome }) => outcome === 'malformed').length;
  return [
    out === 0
      ? `${count(cases.length, 'case')} within tolerance`
      : `${out} of ${count(cases.length, 'case')} not within tolerance`,
    ...(unread === 0 ? [] : [`${count(unread, 'file')} not readable`]),
  ].join(', ');
}
