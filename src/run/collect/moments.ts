import type { RunFolder } from '../../storage/folder.js';
import { done } from '../../storage/run-state.js';
import { type Line, type Lines, number } from './lines.js';

/** What a report's numbers of one network are of, where a reader would take them for something else; a sentence each. */
export function momentsOf(
  folder: RunFolder,
  { name, lines }: { readonly name: string; readonly lines: Lines },
): string[] {
  const attacks = [
    ...attackRemarks('attacked', lines.of('attacks')),
    ...attackRemarks('its readout attacked', lines.of('readoutAttacks')),
  ];
  const ended = isDone(folder, name) ? [...early(folder, name, lines), ...behind(lines)] : []; // else all of it is yet to come
  return [...attacks, ...twice(lines), ...ended].map((said) => `${name}: ${said}.`);
}

/** Whether a network is trained and measured to its end; members of an ensemble are not told apart by their snapshots. */
function isDone(folder: RunFolder, name: string): boolean {
  return plannedOf(folder, name) !== undefined && folder.snapshots(name).list()[0]?.label === done;
}

const plannedOf = ({ started }: RunFolder, name: string) => started.networks?.find((network) => network.name === name);

/** Training that ended before its epochs were over: by an operator such as `take` or `catchError`, which ends a stream like its source. */
function early(folder: RunFolder, name: string, lines: Lines): string[] {
  const last = lines.of('updates').at(-1);
  if (last === undefined || Number(last.number) === 0) return [];
  const epochs = plannedOf(folder, name)?.epochs ?? number(folder.started.config as Line, 'epochs');
  const of = epochs === null ? '' : ` of ${epochs}`;
  if (last.endsEpoch === false)
    return [
      `the last update that was logged, ${last.number}, is within epoch ${last.epoch}${of}: its training ended early`,
    ];
  return epochs !== null && Number(last.epoch) < epochs
    ? [`the last update that was logged, ${last.number}, ends epoch ${last.epoch}${of}: its training ended early`]
    : [];
}

/** Numbers that were measured on other weights than the last ones. */
function behind(lines: Lines): string[] {
  const trained = newest([...lines.of('updates'), ...lines.of('attacks')]);
  return [
    ['test accuracy is', lines.of('classifiers').length > 0 ? [] : lines.of('tests')] as const,
    ['σ are', lines.of('sigmas')] as const,
    ['distances are', lines.of('attacks')] as const,
  ].flatMap(([what, measured]) => {
    const at = newest(measured);
    return at === null || trained === null || at >= trained
      ? []
      : [`its ${what} of update ${at}, and it was trained for ${trained}`];
  });
}

/** Tests of one moment that say different things: of two data sets, for one. */
function twice(lines: Lines): string[] {
  const tests = lines.of('tests');
  const at = newest(tests);
  const found = [
    ...new Set(tests.filter((line) => at !== null && line.number === at).map((line) => number(line, 'accuracy'))),
  ];
  return found.length > 1
    ? [
        `its test accuracy after update ${at} came out as ${found.join(' and ')}; the report has the last: give each test a stream of its own`,
      ]
    : [];
}

function attackRemarks(what: string, all: readonly Line[]): string[] {
  const lines = all.filter((line) => line.outcome !== undefined);
  const updates = [...new Set(lines.flatMap((line) => number(line, 'number') ?? []))];
  const last = newestOf(lines);
  const again = last.length - nearest(last).length;
  const rounds = [...new Set(last.flatMap((line) => number(line, 'iterations') ?? []))];
  return [
    ...(updates.length > 1
      ? [
          `${what} after updates ${updates.join(', ')}; the report has what came out after the last, ${Math.max(...updates)}`,
        ]
      : []),
    ...(rounds.length > 1
      ? [`${what} with T = ${rounds.join(' and ')}, whose distances are pooled: give each attack a stream of its own`]
      : []),
    ...(again > 0
      ? [`${what} more than once on ${again} of its samples; each counts once, by the nearest point that was found`]
      : []),
  ];
}

/** The number of the newest update that lines are of; null where they do not say. */
const newest = (lines: readonly Line[]): number | null =>
  lines.reduce<number | null>((most, line) => {
    const own = number(line, 'number');
    return own === null || (most !== null && most > own) ? most : own;
  }, null);

/** The lines of the newest update: weights of earlier ones are another network. */
export function newestOf(lines: readonly Line[]): readonly Line[] {
  const last = newest(lines);
  return last === null ? lines : lines.filter((line) => line.number === last);
}

/** One line a sample, that with the nearest point: two attacks on a sample, or an item handed on twice, are no two samples. */
export function nearest(lines: readonly Line[]): readonly Line[] {
  const kept = new Map<string, Line>();
  for (const line of lines) {
    const sample = `${line.index} ${line.label}`;
    const known = kept.get(sample);
    if (known === undefined || distanceOf(line) < distanceOf(known)) kept.set(sample, line);
  }
  return [...kept.values()];
}

function distanceOf(line: Line): number {
  const distance = number(line, 'distance');
  return distance !== null && Number.isFinite(distance) ? distance : Number.POSITIVE_INFINITY;
}
