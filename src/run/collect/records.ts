import type { Data } from '../../flow/data.js';
import type {
  Alignment,
  AttackReport,
  AttackedSample,
  Bounds,
  Certificate,
  Classifier,
  ExactDistance,
  FitReport,
  Geometry,
  Probe,
  RefittedReadout,
  Track,
} from '../../measure/networks/record.js';
import { transferred } from '../../plot/transfer.js';
import { decoded } from '../../storage/journal.js';
import type { RunFolder } from '../../storage/run-folder.js';
import { done } from '../../storage/run-state.js';

/** A line of the metric log. */
export type LogLine = { readonly [field: string]: Data };

/** The number in a field, or null where there is none. */
export const number = (line: LogLine, field: string): number | null =>
  typeof line[field] === 'number' ? (line[field] as number) : null;

/** The array in a field; empty where it was not kept. */
export const array = (line: LogLine, field: string): Float32Array => decoded(line[field]) ?? new Float32Array(0);

/** The lines of one network, by stream. */
export class NetworkLog {
  private readonly streams = new Map<string, LogLine[]>();

  constructor(lines: readonly LogLine[]) {
    for (const line of lines) {
      const known = this.streams.get(String(line.stream));
      if (known === undefined) this.streams.set(String(line.stream), [line]);
      else known.push(line);
    }
  }

  of(stream: string): readonly LogLine[] {
    return this.streams.get(stream) ?? [];
  }
}

/** What the log says of a network. */
interface Said {
  readonly pipeline: string;
  readonly name: string;
  /** Its line of the stream 'network'. */
  readonly about: LogLine;
  /** Its own updates, as logged; without those of a network that it branched off. */
  readonly updates: readonly LogLine[];
}

/**
 * What a network was regularized with, in one word: as its pipeline lists it, else as its training step says; its name where neither
 * does. 'none' only where there was none: never by default, and not against the training step. Of a network that was trained twice
 * both, in a form that the report takes apart.
 */
export function regularizerOf({ pipeline, name, about, updates }: Said): string {
  const { regularizer, pretrained, finetuned } = about;
  if (typeof pretrained === 'string' && typeof finetuned === 'string') return transferred({ pretrained, finetuned });
  const acted = updates.findLast((line) => typeof line.regularizer === 'string')?.regularizer as string | undefined;
  if (typeof regularizer === 'string' && regularizer !== 'none') return regularizer;
  if (acted !== undefined) return acted;
  // Earlier versions gave the only network of a pipeline that lists none its name and 'none', whatever it was trained with.
  const listed = regularizer === 'none' && name !== pipeline;
  return listed ? 'none' : name;
}

/** What a report's numbers of one network are of, where a reader would take them for something else; a sentence each. */
export function momentsOf(
  folder: RunFolder,
  { name, lines }: { readonly name: string; readonly lines: NetworkLog },
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
function early(folder: RunFolder, name: string, lines: NetworkLog): string[] {
  const last = lines.of('updates').at(-1);
  if (last === undefined || Number(last.number) === 0) return [];
  const epochs = plannedOf(folder, name)?.epochs ?? number(folder.started.config as LogLine, 'epochs');
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
function behind(lines: NetworkLog): string[] {
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
function twice(lines: NetworkLog): string[] {
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

function attackRemarks(what: string, all: readonly LogLine[]): string[] {
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
const newest = (lines: readonly LogLine[]): number | null =>
  lines.reduce<number | null>((most, line) => {
    const own = number(line, 'number');
    return own === null || (most !== null && most > own) ? most : own;
  }, null);

/** The lines of the newest update: weights of earlier ones are another network. */
export function newestOf(lines: readonly LogLine[]): readonly LogLine[] {
  const last = newest(lines);
  return last === null ? lines : lines.filter((line) => line.number === last);
}

/** One line a sample, that with the nearest point: two attacks on a sample, or an item handed on twice, are no two samples. */
export function nearest(lines: readonly LogLine[]): readonly LogLine[] {
  const kept = new Map<string, LogLine>();
  for (const line of lines) {
    const sample = `${line.index} ${line.label}`;
    const known = kept.get(sample);
    if (known === undefined || distanceOf(line) < distanceOf(known)) kept.set(sample, line);
  }
  return [...kept.values()];
}

function distanceOf(line: LogLine): number {
  const distance = number(line, 'distance');
  return distance !== null && Number.isFinite(distance) ? distance : Number.POSITIVE_INFINITY;
}

/**
 * The results of the attack on the newest weights that were attacked, a sample once; null where nothing was attacked.
 *
 * @param configured T by the run's config, for logs of older builds, whose lines do not say it
 */
export function attackOf(lines: readonly LogLine[], configured: number | null): AttackReport | null {
  const own = nearest(newestOf(lines.filter((line) => line.outcome !== undefined)));
  const box = own.at(-1)?.box as AttackReport['box'];
  const rounds = new Set(own.map((line) => number(line, 'iterations') ?? configured));
  const iterations = rounds.size === 1 ? [...rounds][0]! : null;
  return own.length === 0 ? null : { iterations, ...(box && { box }), samples: own.map(attackedSample) };
}

function attackedSample(line: LogLine): AttackedSample {
  const original = decoded(line.original);
  const adversarial = decoded(line.adversarial);
  return {
    index: Number(line.index),
    label: Number(line.label),
    predicted: Number(line.predicted),
    adversarialLabel: number(line, 'adversarialLabel'),
    outcome: String(line.outcome),
    distance: finite(number(line, 'distance')),
    lower: number(line, 'lower'),
    upper: finite(number(line, 'distance')),
    local: number(line, 'local'),
    theta: number(line, 'theta'),
    featureNorm: number(line, 'featureNorm'),
    queries: Number(line.queries ?? 0),
    start: typeof line.start === 'string' ? line.start : null,
    ...(original && { original }),
    ...(adversarial && { adversarial }),
  };
}

/** A distance that was found; NaN says that none was. */
const finite = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);

/** The last readout that was fitted, with the attack on it; null where none was. */
export function readoutOf(lines: readonly LogLine[], attack: AttackReport | null): RefittedReadout | null {
  const last = classifierOf(lines);
  return last && { ...last, attack };
}

/** The last readout that was fitted; null where none was. */
export function classifierOf(lines: readonly LogLine[]): Classifier | null {
  const last = lines.at(-1);
  if (last === undefined) return null;
  return { accuracy: Number(last.accuracy), trainAccuracy: Number(last.trainAccuracy), ...fitOf(last) };
}

const fitOf = (line: LogLine): FitReport => ({
  fit: typeof line.fit === 'string' ? line.fit : null,
  iterations: number(line, 'iterations'),
  iterationLimit: number(line, 'iterationLimit'),
  converged: line.converged === true,
});

/** Whether a line is of a readout that was fitted while the network learned. */
export const isProbe = (line: LogLine): boolean => line.untrained !== undefined && typeof line.lower === 'number';

/** One moment's readout: plain numbers, as logged. */
export const probe = (line: LogLine): Probe => ({
  epoch: Number(line.epoch),
  accuracy: Number(line.accuracy),
  lower: Number(line.lower),
  upper: Number(line.upper),
  untrained: (line.untrained as Probe['untrained']) ?? null,
  ...fitOf(line),
});

export const exactDistance = (line: LogLine): ExactDistance => ({
  index: Number(line.index),
  label: Number(line.label),
  distance: Number(line.distance),
});

export const geometry = (line: LogLine): Geometry => ({
  ...(line as unknown as Geometry),
  classes: array(line, 'classes'),
  margin: array(line, 'margin'),
  logVolume: array(line, 'logVolume'),
  topEigenvalue: array(line, 'topEigenvalue'),
});

/** Plain records of numbers: what was logged is what the report shows. */
export const track = (line: LogLine): Track => line as unknown as Track;
export const alignment = (line: LogLine): Alignment => line as unknown as Alignment;

export const certificate = (line: LogLine): Certificate => ({
  ...(line as unknown as Certificate),
  lower: bounds(line.lower as LogLine),
  local: bounds(line.local as LogLine),
});

const bounds = (line: LogLine | null | undefined): Bounds => ({
  l1: Number(line?.l1 ?? Number.NaN),
  l2: Number(line?.l2 ?? Number.NaN),
  linf: Number(line?.linf ?? Number.NaN),
});
