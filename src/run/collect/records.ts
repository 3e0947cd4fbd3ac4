import { layerNormsRecord } from '../../learn/spectral/stages.js';
import { updateRecord } from '../../learn/update.js';
import { accuracyRecord } from '../../measure/accuracy/accuracy.js';
import { nearest } from '../../measure/attack/attacked.js';
import { isAttack } from '../../measure/attack/record.js';
import { type LoggedStream, type LogLine, type NetworkLog, newest, newestOf, numberIn } from '../../measure/log.js';
import { classifierRecord } from '../../measure/readout/record.js';
import { transferred } from '../../plot/style.js';
import { testLabel, testStream, totalOf } from '../../storage/record.js';
import type { RunFolder } from '../../storage/run-folder.js';
import { done } from '../../storage/run-state.js';
import { isPicked, pickWords } from '../weights.js';

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
export function remarksOn(
  folder: RunFolder,
  { name, log }: { readonly name: string; readonly log: NetworkLog },
): string[] {
  const attacks = [
    ...attackRemarks('attacked', attackLines(log)),
    ...attackRemarks('its readout attacked', attackLines(log, 'refitted')),
  ];
  const ended = isDone(folder, name) ? [...early(folder, name, log), ...behind(log), ...fewer(log)] : []; // else all of it is yet to come
  const { taken } = folder.started.from ?? {};
  const picked = taken && isPicked(taken) ? [`attacked were ${pickWords(taken)}, and all else is of the last`] : [];
  return [...picked, ...attacks, ...twice(log), ...more(log), ...ended].map((said) => `${name}: ${said}.`);
}

/** Whether a network is trained and measured to its end; members of an ensemble are not told apart by their snapshots. */
function isDone(folder: RunFolder, name: string): boolean {
  return plannedOf(folder, name) !== undefined && folder.snapshots(name).list()[0]?.label === done;
}

const plannedOf = ({ started }: RunFolder, name: string) => started.networks?.find((network) => network.name === name);

/**
 * Training that ended before its epochs were over: by a stage that says why, or by an operator such as `take` or `catchError`, which ends a
 * stream like its source.
 */
function early(folder: RunFolder, name: string, log: NetworkLog): string[] {
  const last = log.of(updateRecord).at(-1);
  if (last === undefined || Number(last.number) === 0) return [];
  const epochs = plannedOf(folder, name)?.epochs ?? numberIn(folder.started.config as LogLine, 'epochs');
  const of = epochs === null ? '' : ` of ${epochs}`;
  const ending = log.streams.find(({ description }) => description.role === 'ending')?.lines.at(-1);
  if (ending !== undefined) {
    return [`its training ended after update ${ending.number}, in epoch ${ending.epoch}${of}, as ${ending.reason}`];
  }
  if (last.endsEpoch === false)
    return [
      `the last update that was logged, ${last.number}, is within epoch ${last.epoch}${of}: its training ended early`,
    ];
  return epochs !== null && Number(last.epoch) < epochs
    ? [`the last update that was logged, ${last.number}, ends epoch ${last.epoch}${of}: its training ended early`]
    : [];
}

/** Numbers that were measured on other weights than the last ones. */
function behind(log: NetworkLog): string[] {
  const trained = newest([...log.of(updateRecord), ...attackLines(log)]);
  return [
    ...accuraciesIn(log)
      .filter(({ stream }) => stream !== testStream || log.of(classifierRecord).length === 0)
      .map(({ stream, lines }) => [`${testLabel(stream, 'accuracy')} is`, lines] as const),
    ['σ are', log.of(layerNormsRecord)] as const,
    ['distances are', attackLines(log)] as const,
  ].flatMap(([what, measured]) => {
    const at = newest(measured);
    return at === null || trained === null || at >= trained
      ? []
      : [`its ${what} of update ${at}, and it was trained for ${trained}`];
  });
}

/** The records that a stream has at an update, and the total that they name: the largest, where they differ. */
interface Counted {
  readonly stream: string;
  readonly at: string;
  readonly count: number;
  readonly total: number;
}

function countsIn(log: NetworkLog): Counted[] {
  return log.streams.flatMap(({ stream, description, lines }) => {
    const counts = new Map<string, Counted>();
    for (const line of lines) {
      const total = totalOf(description, line);
      if (total === undefined) continue;
      const at = typeof line.number === 'number' ? `at update ${line.number}` : 'without an update';
      const before = counts.get(at);
      counts.set(at, { stream, at, count: (before?.count ?? 0) + 1, total: Math.max(before?.total ?? 0, total) });
    }
    return [...counts.values()];
  });
}

/** Streams with more records at an update than one measurement gives. */
const more = (log: NetworkLog): string[] =>
  countsIn(log)
    .filter(({ count, total }) => count > total)
    .map(
      ({ stream, at, count, total }) => `stream ${stream} has ${count} records ${at}, more than its total of ${total}`,
    );

/** Streams with fewer records at an update than a measurement gives, of a network at its end. */
const fewer = (log: NetworkLog): string[] =>
  countsIn(log)
    .filter(({ count, total }) => count < total)
    .map(
      ({ stream, at, count, total }) =>
        `stream ${stream} has ${count} of ${total} records ${at}, though the network is done`,
    );

/** Accuracies of one stream and moment that differ: of two data sets, for one. */
const twice = (log: NetworkLog): string[] =>
  accuraciesIn(log).flatMap(({ stream, lines }) => {
    const at = newest(lines);
    const own = lines.filter((line) => at !== null && line.number === at);
    const found = [...new Set(own.map((line) => numberIn(line, 'accuracy')))];
    if (found.length < 2) return [];
    const label = testLabel(stream, 'accuracy');
    return [
      `its ${label} after update ${at} came out as ${found.join(' and ')}; the report has the last: give each test a stream of its own`,
    ];
  });

function attackRemarks(what: string, lines: readonly LogLine[]): string[] {
  const updates = [...new Set(lines.flatMap((line) => numberIn(line, 'number') ?? []))];
  const last = newestOf(lines);
  const again = last.length - nearest(last).length;
  const rounds = [...new Set(last.flatMap((line) => numberIn(line, 'iterations') ?? []))];
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

/** The streams of accuracies. */
const accuraciesIn = (log: NetworkLog): LoggedStream[] =>
  log.streams.filter(({ description }) => description.name === accuracyRecord.name);

/** The tests that a network's test accuracy is of: those of the stream `tests`, never those of another one's samples. */
export const testLines = (log: NetworkLog): readonly LogLine[] =>
  accuraciesIn(log).find(({ stream }) => stream === testStream)?.lines ?? [];

/** The attacks on the trained network, or on the one with a readout that was fitted anew, in the order of their streams. */
export const attackStreams = (log: NetworkLog, readout?: 'refitted'): readonly LoggedStream[] =>
  log.streams.filter(({ description, lines: [first] }) => isAttack(description) && first!.readout === readout);

/** The lines of the first of them, which is the attack of the report. */
export const attackLines = (log: NetworkLog, readout?: 'refitted'): readonly LogLine[] =>
  attackStreams(log, readout)[0]?.lines ?? [];
