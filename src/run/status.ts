import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { isRecord } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { configEdits, foreignSnapshots } from '../storage/identity-file.js';
import { holderOf } from '../storage/lock.js';
import { metricReviver } from '../storage/metric-reader.js';
import { type PlannedNetwork, plannedNetworks, type RunFailure, RunFolder } from '../storage/run-folder.js';
import { loadPipeline } from './pipeline-module.js';
import { logDamage } from './run-log.js';

const first = 2 ** 18; // bytes at the end of a metric log that are looked at: thousands of records
const most = 2 ** 26; // and no more than so many, where those hold too little: a few large pictures, say

/**
 * The records at the end of a metric log, oldest first: as many as it takes to have `enough`, or 64 MiB, however long it is.
 *
 * None where there is no log. A last line that is being written is left out, and so is one that is no record.
 */
export function lastRecords(
  file: string,
  enough: (records: readonly Record<string, unknown>[]) => boolean = ({ length }) => length > 0,
): Record<string, unknown>[] {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    const { size } = fstatSync(handle);
    for (let bytes = first; ; bytes *= 4) {
      const records = read(handle, size, Math.min(bytes, most));
      if (bytes >= size || bytes >= most || enough(records)) return records;
    }
  } finally {
    closeSync(handle);
  }
}

function read(handle: number, size: number, bytes: number): Record<string, unknown>[] {
  const buffer = Buffer.alloc(Math.min(size, bytes));
  const got = readSync(handle, buffer, 0, buffer.length, size - buffer.length);
  const lines = buffer.toString('utf8', 0, got).split('\n');
  if (size > bytes) lines.shift(); // it begins in the middle of a line
  lines.pop(); // empty, or being written
  return lines.flatMap((line) => {
    try {
      const record: unknown = JSON.parse(line, metricReviver);
      return isRecord(record) ? [record] : [];
    } catch {
      return []; // a report names it; here it only tells how far a run is
    }
  });
}

type LogRecord = Readonly<Record<string, unknown>>;

/** How far a run is, by the end of its metric log. Plain data; null for what cannot be known. */
export interface Progress {
  /** The network under way, or the last one, counted from 1; null where nothing was logged yet. */
  readonly network: { readonly name: string; readonly index: number; readonly of: number } | null;
  /** What was logged last: of the training, of an attack, or of what else is measured once it is trained. */
  readonly phase: 'training' | 'attack' | 'measuring' | null;
  readonly epoch: number | null;
  readonly epochs: number | null;
  readonly update: number | null;
  /** How many there will be; null before an epoch is over, where the log does not tell the updates of one. */
  readonly updates: number | null;
  /** Samples attacked, and how many will be. */
  readonly attacked: {
    readonly done: number;
    readonly of: number | null;
    /** Some have the start of an older Weir, whose distances can be too long. */
    readonly olderStart?: boolean;
  } | null;
  /** Updates a second, lately; samples a second in an attack. */
  readonly rate: number | null;
  /** Seconds until this phase of this network is over, at that rate. */
  readonly secondsLeft: number | null;
  /** Seconds until all networks are trained, at that rate; what is measured in between is not counted, for nobody knows it. */
  readonly secondsToTrain: number | null;
}

/** Of a run of which nothing is known. */
export const NOTHING: Progress = {
  ...{ network: null, phase: null, epoch: null, epochs: null, update: null, updates: null },
  ...{ attacked: null, rate: null, secondsLeft: null, secondsToTrain: null },
};

/** Reads how far a run is; of a long log the end only. */
export function progressOf(
  log: string,
  networks: readonly PlannedNetwork[],
  config: Readonly<Record<string, unknown>>,
): Progress {
  const indexOf = (record: LogRecord): number => memberOf(networks, record.network);
  // Enough is what shows this network move, and how long its epochs are: two updates of its training, or where the one before it ended.
  const records = lastRecords(log, (all) => {
    const index = indexOf(all.findLast((record) => indexOf(record) >= 0) ?? {});
    if (index < 0) return false;
    const own = all.filter((record) => indexOf(record) === index && isTraining(record));
    const moves = new Set(own.map(({ number }) => number)).size > 1 && inEpoch(own) !== null;
    return moves || all.some((record) => indexOf(record) >= 0 && indexOf(record) !== index);
  });
  const last = records.findLast((record) => indexOf(record) >= 0);
  if (last === undefined) return NOTHING;
  const index = indexOf(last);
  const network = networks[index]!;
  const own = records.filter((record) => indexOf(record) === index);
  const trained = own.filter(isTraining);
  const [from, newest] = [trained[0], trained.at(-1)];
  const [update, epoch] = [count(newest?.number), count(newest?.epoch)];
  const epochs = network.epochs ?? count(config.epochs);
  const perEpoch = inEpoch(trained);
  const updates = perEpoch === null || epochs === null ? null : perEpoch * epochs;
  const pace = rateOf(from, newest);
  const left = updates === null || update === null ? null : Math.max(0, updates - update);
  const about = {
    network: { name: network.name, index: index + 1, of: networks.length },
    ...{ epoch, epochs, update, updates: updates === null ? null : Math.round(updates) },
    secondsToTrain: toTrain({ networks, index, pace, left, updates, epochs, config }),
  };
  if (last.outcome !== undefined) return { ...about, ...attackOf(own, config, network) };
  const over = epoch !== null && epochs !== null && epoch >= epochs && left === 0;
  return {
    ...about,
    ...{ phase: over ? 'measuring' : 'training', attacked: null, rate: over ? null : pace },
    secondsLeft: pace === null || left === null || over ? null : left / pace,
  };
}

/** Updates of every epoch: as an update tells it, or by the last that ended one. */
function inEpoch(trained: readonly LogRecord[]): number | null {
  const told = trained.findLast(({ updatesInEpoch }) => count(updatesInEpoch) !== null);
  if (told !== undefined) return count(told.updatesInEpoch);
  const ended = trained.findLast(({ endsEpoch, epoch }) => endsEpoch === true && (count(epoch) ?? 0) > 0);
  return ended === undefined ? null : (ended.number as number) / (ended.epoch as number);
}

/** The attack that the last record is of, on one update's weights: so many samples since what was logged before it, and so it goes on. */
function attackOf(
  own: readonly LogRecord[],
  config: Readonly<Record<string, unknown>>,
  { members }: PlannedNetwork,
): Pick<Progress, 'phase' | 'attacked' | 'rate' | 'secondsLeft'> {
  const { stream, number } = own.at(-1)!;
  const same = own.filter((record) => record.stream === stream && record.number === number);
  const before = own[own.indexOf(same[0]!) - 1];
  const total = count(own.at(-1)!.total) ?? count(config.attacked); // what it takes; in an older log what was asked for
  const of = total === null ? null : Math.max(same.length, total * (members?.length ?? 1));
  const [begun, now] = [secondsOf(before ?? same[0]), secondsOf(same.at(-1))];
  const rate = begun !== null && now !== null && now > begun ? same.length / (now - begun) : null;
  return {
    ...{ phase: 'attack', attacked: { done: same.length, of, ...startOf(same) }, rate },
    secondsLeft: rate === null || of === null ? null : Math.max(0, of - same.length) / rate,
  };
}

/** Results of older builds do not say what they were started from; for a log without them nothing is said. */
const startOf = (results: readonly LogRecord[]): { readonly olderStart?: boolean } =>
  results.some(({ start }) => start === undefined) ? { olderStart: true } : {};

/** Whether the record is of an update that moved the weights, or of a measure while they are trained. */
const isTraining = (record: LogRecord): boolean => record.outcome === undefined && count(record.number) !== null;

function toTrain(run: {
  readonly networks: readonly PlannedNetwork[];
  readonly index: number;
  readonly pace: number | null;
  readonly left: number | null;
  readonly updates: number | null;
  readonly epochs: number | null;
  readonly config: Readonly<Record<string, unknown>>;
}): number | null {
  const { networks, index, pace, left, updates, epochs, config } = run;
  if (pace === null || left === null || updates === null || !epochs) return null;
  const perEpoch = updates / epochs;
  const later = networks.slice(index + 1).map(({ epochs: own, branch }) => {
    return Math.max(0, (own ?? count(config.epochs) ?? epochs) - (branch?.epoch ?? 0));
  });
  return (left + perEpoch * later.reduce((sum, one) => sum + one, 0)) / pace;
}

/** Which of the networks goes by that name, or has a member that does; −1 where none has. */
function memberOf(networks: readonly PlannedNetwork[], name: unknown): number {
  return networks.findIndex((one) => one.name === name || one.members?.includes(String(name)));
}

/** Updates a second from one record to the other. */
function rateOf(from: LogRecord | undefined, to: LogRecord | undefined): number | null {
  const [begun, ended] = [secondsOf(from), secondsOf(to)];
  if (begun === null || ended === null || ended <= begun) return null;
  const rate = ((to!.number as number) - (from!.number as number)) / (ended - begun);
  return rate > 0 ? rate : null;
}

const secondsOf = (record: LogRecord | undefined): number | null =>
  count((record?.wall as { readonly seconds?: unknown } | undefined)?.seconds);

const count = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/**
 * 'stopped', 'failed' and 'killed' can be resumed: the first said that it stopped, the second why it failed, the third nothing.
 * 'elsewhere': held by a process of another machine, or container. 'damaged': its config or its metric log is not what was written.
 */
export type State = 'running' | 'elsewhere' | 'stopped' | 'failed' | 'killed' | 'done' | 'damaged';

/** Where a run stands. Plain data. */
export interface Status extends Progress {
  readonly path: string;
  readonly pipeline: string;
  readonly state: State;
  /** Who holds the folder, or held it when it was killed. */
  readonly process: { readonly pid: number; readonly host: string } | null;
  readonly failure: RunFailure | null;
  /** What is not as it was written. */
  readonly damage: string | null;
  /** Seconds since the newest snapshot was written; null where there is none. */
  readonly snapshotAge: number | null;
}

/**
 * Where a run stands, from its files alone: the lock, the config, the names of its snapshots, the end of its metric log. It disturbs
 * nothing.
 *
 * @throws {WeirError} where there is no run
 */
export async function statusOf(path: string, now = Date.now()): Promise<Status> {
  const folder = RunFolder.open(path);
  const { pipeline, config } = folder.started;
  const networks = await networksOf(folder);
  const snapshots = networks.map(({ name }) => folder.snapshots(name).list());
  const done = snapshots.every(([newest]) => newest?.label === 'done');
  const holder = holderOf(path);
  const failure = folder.failure ?? null;
  const state = stateOf(done, holder?.alive, failure !== null);
  const damage = state === 'running' || state === 'elsewhere' ? null : damageOf(folder); // who writes it knows it
  const times = snapshots.flat().flatMap((one) => statSync(one.path, { throwIfNoEntry: false })?.mtimeMs ?? []);
  return {
    ...{ path: folder.shown, pipeline, state: damage === null ? state : 'damaged', damage },
    process: holder ? { pid: holder.mark.pid, host: holder.mark.host } : null,
    failure,
    ...progressOf(folder.log, networks, config),
    snapshotAge: times.length === 0 ? null : Math.max(0, (now - Math.max(...times)) / 1000),
  };
}

function damageOf(folder: RunFolder): string | null {
  try {
    const [edit] = configEdits(folder);
    if (edit !== undefined) return `config.json was edited: ${edit}`;
    const [foreign] = foreignSnapshots(folder);
    if (foreign !== undefined) return foreign;
    const damage = logDamage(folder);
    return damage === undefined ? null : `the metric log ${damage}`;
  } catch (error) {
    if (error instanceof WeirError) return error.message;
    throw error;
  }
}

/** The status of a run whose config cannot be read, which hides no other. */
export const damagedRun = (path: string, { message }: Pick<Error, 'message'>): Status => ({
  ...{ path, pipeline: '', state: 'damaged', damage: message },
  ...{ process: null, failure: null, snapshotAge: null, ...NOTHING },
});

/** As the config lists them; of a run of an earlier version as its pipeline does. */
async function networksOf({ started }: RunFolder): Promise<readonly PlannedNetwork[]> {
  const { networks, module, config, seed } = started;
  return networks ?? plannedNetworks((await loadPipeline(module)).networks(config, seed));
}

function stateOf(done: boolean, alive: boolean | 'unknown' | undefined, failed: boolean): State {
  if (alive === true) return 'running';
  if (alive === 'unknown') return 'elsewhere';
  if (failed) return 'failed'; // done too, where only its report could not be written
  if (done) return 'done';
  return alive === false ? 'killed' : 'stopped';
}
