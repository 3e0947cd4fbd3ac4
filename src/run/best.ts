import type { Positioned } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { Flow } from '../flow/flow.js';
import type { Header } from '../flow/header.js';
import type { Declared, Node } from '../flow/node.js';
import { checkCounts, checkOptions, nearest } from '../flow/options.js';
import { type StageOperator, stage } from '../flow/stage.js';
import { type RecordSchema, record, z } from '../storage/record.js';

/** A measurement of one network at one update, such as the items of `accuracy`. */
export interface Measured extends Positioned {
  /** Updates so far. */
  readonly number: number;
  readonly epoch: number;
}

/** The number that a stage goes by. */
export interface Judging<T> {
  /**
   * The number of the measurement, such as 'accuracy'; a value that is not finite is never the best. Where a record declares the
   * measurement, it must declare this number.
   */
  readonly by: keyof T & string;
  readonly better: 'higher' | 'lower';
  /** The stage's name, where a graph has two of a kind. */
  readonly name?: string;
}

const judgingKeys = { by: 'required', better: 'required', name: 'optional' } as const;

/** The error for a measurement without the number that a stage goes by. */
function noNumber(stage: string, by: string, known: boolean, numbers: readonly string[]): WeirError {
  const near = nearest(by, numbers);
  const all = `the numbers there are ${numbers.join(', ')}`;
  return new WeirError(
    `stage '${stage}' goes by '${by}', which ${known ? 'is no number there' : 'its measurements do not have'}`,
    near === undefined ? all : `did you mean '${near}'? T${all.slice(1)}`,
  );
}

const ofMembers = (stage: string, member = ''): WeirError =>
  new WeirError(
    `stage '${stage}' gets measurements of ${member || 'the members of an ensemble'}, and goes by one network`,
    'members train in one graph and end together: train that network by itself, or leave the stage out',
  );

const numbersIn = (declaration: Declared['declaration']): string[] => {
  const { fields } = (declaration as RecordSchema).description;
  return Object.keys(fields).filter((name) => fields[name]!.type === 'number');
};

/**
 * Refuses, when the graph is wired, measurements whose record has no such number. Where an operator such as `map` may have made others of
 * them, or no record declares them, the first item tells: `remarksOn` says so.
 */
function checkDeclared(stage: string, by: string, declared: readonly Declared[]): void {
  for (const { declaration, changed } of declared) {
    if (declaration.ofMembers) throw ofMembers(stage);
    if (changed) continue;
    const { fields } = (declaration as RecordSchema).description;
    const numbers = numbersIn(declaration);
    if (!numbers.includes(by)) throw noNumber(stage, by, Object.hasOwn(fields, by), numbers);
  }
}

/** Says that only the first item will tell whether the measurements have the number: their record does not. */
function remarksOn(stage: string, by: string, declared: readonly Declared[]): string[] {
  const isKnown = declared.length > 0 && declared.every(({ declaration }) => numbersIn(declaration).includes(by));
  if (isKnown) return [];
  const why =
    declared.length === 0
      ? 'no record that declares its measurements reaches it'
      : `the record '${declared[0]!.declaration.name}' has no such number, and an operator on the way may add it`;
  return [`stage '${stage}' goes by '${by}', which is checked at the first measurement: ${why}`];
}

function measuredValue<T extends Measured>(stage: string, item: T, by: keyof T & string): number {
  if ('network' in item) throw ofMembers(stage, `member '${item.network}'`);
  const value: unknown = item[by];
  if (typeof value === 'number') return value;
  const numbers = Object.entries(item).flatMap(([key, one]) => (typeof one === 'number' ? [key] : []));
  throw noNumber(stage, by, value !== undefined, numbers);
}

function checkBetter(stage: string, better: string): void {
  if (better === 'higher' || better === 'lower') return;
  throw new WeirError(`'${stage}' was given better: ${JSON.stringify(better)}`, "give 'higher' or 'lower'");
}

/** The members of a stage that every judging one has. */
const judging = (name: string, by: string) => ({
  name,
  introduce(incoming: readonly Header[], _: unknown, declared: readonly Declared[]): readonly Header[] {
    checkDeclared(name, by, declared);
    return incoming;
  },
  remarks: (declared: readonly Declared[]) => remarksOn(name, by, declared),
});

const shown = (value: number): string => String(Number(value.toPrecision(6)));

/** The record of a training that was ended by its measurements. */
export const endingRecord = record({
  name: 'early stopping',
  role: 'ending',
  fields: { by: z.string(), best: z.number().nullable(), bestNumber: z.int(), reason: z.string() },
});

/** Why a training was ended, and its best measurement. */
export interface EarlyStop extends Measured {
  readonly by: string;
  /** Null where no measurement was finite. */
  readonly best: number | null;
  /** The update of that measurement. */
  readonly bestNumber: number;
  readonly reason: string;
}

export interface StopEarlyOptions<T> extends Judging<T> {
  /** Measurements in a row, without a better one, behind which the training ends. */
  readonly patience: number;
  /** The least difference that counts as better, in the units of the measurement; 0 by default: any. */
  readonly least?: number;
}

/** The best measurement so far, the measurements since, and whether that were too many. */
export type StopEarlyState = {
  readonly best: number | null;
  readonly bestNumber: number;
  readonly since: number;
  readonly ended: boolean;
};

/**
 * Ends the training when a measurement has not become better for a while. Then no update begins behind the one under way, and all that was
 * asked for at the end (`atEnd()`) is done on its weights: the network is trained to its end, and not stopped on the way.
 *
 *   accuracy                           .7--.9--.8--.9|
 *   stopEarly({ …, patience: 2 })      -------------S|    S: why, once
 *
 * Measure on data that are held back for it (`split` with `validation`): a test set that says when to stop is no test any more.
 *
 * Each network of a run has a graph of its own, so it ends by its own measurements, and the others go on. One whose trunk ended before the
 * epoch of its branch is trained from its beginning. The members of an ensemble share a graph, so their measurements are refused. Of
 * several ranks, all must have measured the same.
 *
 * State: `StopEarlyState`, so a resumed run ends at the same update. Bound: holds nothing. Failure: a `by` that is no number of the
 * measurement; a measurement that an operator has delayed past its update.
 *
 * @example
 * const validations$ = updates$.pipe(every({ epochs: 1 }), accuracy(model, validation), fanOut('validations'));
 * const endings$ = validations$.pipe(stopEarly({ by: 'accuracy', better: 'higher', patience: 10 }));
 */
export function stopEarly<T extends Measured>(
  options: StopEarlyOptions<T>,
): StageOperator<T, EarlyStop, StopEarlyState> {
  const {
    by,
    better,
    patience,
    least = 0,
    name = 'stop early',
  } = checkOptions('stopEarly', options, { ...judgingKeys, patience: 'required', least: 'optional' } as const);
  checkBetter('stopEarly', better);
  checkCounts('stopEarly', { patience });
  if (!(least >= 0)) throw new WeirError(`'stopEarly' was given least: ${least}`, 'give a number from 0 on');
  return stage<T, EarlyStop, StopEarlyState>({
    ...judging(name, by),
    record: endingRecord,
    start: () => ({ best: null, bestNumber: 0, since: 0, ended: false }),
    endsTraining: ({ ended }) => ended,
    next(state, item) {
      if (state.ended) return [state];
      const { position, number, epoch } = item;
      const value = measuredValue(name, item, by);
      const gain =
        state.best === null ? Number.POSITIVE_INFINITY : better === 'higher' ? value - state.best : state.best - value;
      if (Number.isFinite(value) && gain > 0 && gain >= least) {
        return [{ best: value, bestNumber: number, since: 0, ended: false }];
      }
      const { best, bestNumber } = state;
      const since = state.since + 1;
      if (since < patience) return [{ ...state, since }];
      const than = best === null ? 'finite' : `better than ${shown(best)} of update ${bestNumber}`;
      const times = patience === 1 ? 'the last measurement' : `the last ${patience} measurements`;
      const reason = `${by} was not ${than} in ${times}`;
      return [
        { ...state, since, ended: true },
        { position, number, epoch, by, best, bestNumber, reason },
      ];
    },
  });
}

/** The record of a measurement among the best. */
export const bestRecord = record({
  name: 'best so far',
  role: 'measurement',
  fields: { by: z.string(), value: z.number(), rank: z.int(), kept: z.array(z.int()) },
});

/** A measurement that is among the best so far. */
export interface Best extends Measured {
  readonly by: string;
  readonly value: number;
  /** From 1 on. */
  readonly rank: number;
  /** The updates whose snapshots are kept, the best first. */
  readonly kept: readonly number[];
}

export interface KeepBestOptions<T> extends Judging<T> {
  /** How many snapshots are kept; 1 by default. */
  readonly count?: number;
}

/** The best measurements so far and their updates, the best first; of equal ones the first. */
export type KeepBestState = readonly { readonly number: number; readonly value: number }[];

/**
 * Keeps snapshots of the updates with the best measurements, besides the newest ones. Each is the whole state of the run at that update, in
 * the file `SEQUENCE-best-UPDATE.snapshot`, written right behind the measurement. `fromRun(run, { snapshot: 'best' })` takes the
 * weights of the best one.
 *
 * One that is no longer among the best goes with the next snapshot of another kind, so a run that is killed loses none. Each network of a
 * run keeps its own. Of several ranks, the one that writes the folder writes them, and all must have measured the same.
 *
 * State: the best measurements, so a resumed run keeps the same ones. Bound: holds nothing. Failure: those of `stopEarly`; a snapshot
 * that cannot be written.
 *
 * @example const best$ = validations$.pipe(keepBest({ by: 'accuracy', better: 'higher', count: 3 }));
 */
export function keepBest<T extends Measured>(options: KeepBestOptions<T>): StageOperator<T, Best, KeepBestState> {
  const {
    by,
    better,
    count = 1,
    name = 'keep best',
  } = checkOptions('keepBest', options, { ...judgingKeys, count: 'optional' } as const);
  checkBetter('keepBest', better);
  checkCounts('keepBest', { count });
  return stage<T, Best, KeepBestState>({
    ...judging(name, by),
    record: bestRecord,
    prompt: true,
    start: () => [],
    next(state, item) {
      const { position, number, epoch } = item;
      const value = measuredValue(name, item, by);
      const before = state.findIndex((one) => (better === 'higher' ? value > one.value : value < one.value));
      const index = before === -1 ? state.length : before;
      if (!Number.isFinite(value) || index >= count) return [state];
      const best = state.toSpliced(index, 0, { number, value }).slice(0, count);
      return [best, { position, number, epoch, by, value, rank: index + 1, kept: best.map((one) => one.number) }];
    },
  });
}

/** The label of a snapshot that is kept as one of the best. */
export const bestLabel = (number: number): string => `best-${number}`;

export const isBestLabel = (label: string): boolean => /^best-\d+$/.test(label);

/** Updates whose snapshots are to be kept, the best first: those of the first stage that keeps some, then of the next. */
export const bestUpdates = (flow: Flow): number[] => [
  ...new Set(
    flow.nodes
      .filter((node) => node.record === bestRecord)
      .flatMap((node) => (flow.stateOf(node) as KeepBestState).map(({ number }) => number)),
  ),
];

/** What the judging stages of a graph have decided so far: all ranks must decide alike, or they would wait for each other for ever. */
export const decisionsIn = (flow: Flow): Readonly<Record<string, unknown>> => {
  const judging = ({ record }: Node): boolean => record === bestRecord || record === endingRecord;
  const states = flow.nodes.filter(judging).map((node) => [`the state of '${node.name}'`, flow.stateOf(node)]);
  return { 'the end of the training': flow.trainingOver ? 'now' : 'not yet', ...Object.fromEntries(states) };
};
