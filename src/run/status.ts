import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { isRecord } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { configEdits, foreignSnapshots } from '../storage/identity-file.js';
import { holderOf } from '../storage/lock.js';
import { type MetricRecord, metricReviver } from '../storage/metric-reader.js';
import { descriptionOf, type RecordDescription, type Role, totalOf } from '../storage/record.js';
import { OlderFormat, type PlannedNetwork, type RunFailure, RunFolder } from '../storage/run-folder.js';
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
  enough: (records: readonly MetricRecord[]) => boolean = ({ length }) => length > 0,
): MetricRecord[] {
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

function read(handle: number, size: number, bytes: number): MetricRecord[] {
  const buffer = Buffer.alloc(Math.min(size, bytes));
  const got = readSync(handle, buffer, 0, buffer.length, size - buffer.length);
  const lines = buffer.toString('utf8', 0, got).split('\n');
  if (size > bytes) lines.shift(); // it begins in the middle of a line
  lines.pop(); // empty, or being written
  return lines.flatMap((line) => {
    try {
      const record: unknown = JSON.parse(line, metricReviver);
      return isRecord(record) ? [record as MetricRecord] : [];
    } catch {
      return []; // a report names it; here it only tells how far a run is
    }
  });
}

/** How far a run is, by the end of its metric log. Plain data; null for what cannot be known. */
export interface RunProgress {
  /** The network under way, or the last one, counted from 1; null where nothing was logged yet. */
  readonly network: { readonly name: string; readonly index: number; readonly of: number } | null;
  /** Whether the last record is of the training, or of a measurement on the trained network or sample by sample. */
  readonly phase: 'training' | 'measuring' | null;
  readonly epoch: number | null;
  readonly epochs: number | null;
  readonly update: number | null;
  /** How many there will be; null before an epoch is over, where the log does not have the updates of an epoch. */
  readonly updates: number | null;
  /** The measurement that goes sample by sample: its name, records so far, and how many there will be. */
  readonly measured: {
    readonly stream: string;
    readonly name: string;
    readonly role: Role;
    readonly done: number;
    readonly of: number | null;
  } | null;
  /** Why a stage ended the training before its epochs did; null where none has, or a later measurement of many samples hides it. */
  readonly ending: string | null;
  /** Updates a second, lately; samples a second where the measurement goes sample by sample. */
  readonly rate: number | null;
  /** Seconds until this phase of this network is over, at that rate. */
  readonly secondsLeft: number | null;
  /** Seconds until all networks are trained, at that rate; without what is measured in between, whose time is unknown. */
  readonly secondsToTrain: number | null;
}

/** The progress of a run of which nothing is known. */
const unknownProgress: RunProgress = {
  network: null,
  phase: null,
  epoch: null,
  epochs: null,
  update: null,
  updates: null,
  measured: null,
  ending: null,
  rate: null,
  secondsLeft: null,
  secondsToTrain: null,
};

/** Reads how far a run is; of a long log the end only. */
function progressOf(folder: RunFolder, networks: readonly PlannedNetwork[]): RunProgress {
  const schemas = folder.streams;
  const indexOf = (record: MetricRecord): number => memberOf(networks, record.network);
  const isOfUpdate = (record: MetricRecord): boolean =>
    descriptionOf(schemas, record).total === undefined && finite(record.number) !== null;
  // Enough shows that this network moves, and how long its epochs are: two of its updates, or the end of the network before it.
  const records = lastRecords(folder.log, (all) => {
    const index = indexOf(all.findLast((record) => indexOf(record) >= 0) ?? {});
    if (index < 0) return false;
    const own = all.filter((record) => indexOf(record) === index && isOfUpdate(record));
    const moves = new Set(own.map(({ number }) => number)).size > 1 && updatesInEpoch(own) !== null;
    return moves || all.some((record) => indexOf(record) >= 0 && indexOf(record) !== index);
  });
  const last = records.findLast((record) => indexOf(record) >= 0);
  if (last === undefined) return unknownProgress;
  const index = indexOf(last);
  const network = networks[index]!;
  const own = records.filter((record) => indexOf(record) === index);
  const ofUpdates = own.filter(isOfUpdate);
  const [from, newest] = [ofUpdates[0], ofUpdates.at(-1)];
  const [update, epoch] = [finite(newest?.number), finite(newest?.epoch)];
  const epochs = network.epochs ?? null;
  const perEpoch = updatesInEpoch(ofUpdates);
  const updates = perEpoch === null || epochs === null ? null : perEpoch * epochs;
  const pace = updateRate(from, newest);
  const ended = own.findLast((record) => descriptionOf(schemas, record).role === 'ending');
  const left = ended !== undefined ? 0 : updates === null || update === null ? null : Math.max(0, updates - update);
  const about = {
    network: { name: network.name, index: index + 1, of: networks.length },
    epoch,
    epochs,
    update,
    updates: updates === null ? null : Math.round(updates),
    ending: ended === undefined ? null : String(ended.reason),
    secondsToTrain: secondsToTrain({ networks, index, pace, left, updates }),
  };
  const description = descriptionOf(schemas, last);
  if (description.total !== undefined) return { ...about, ...samplesOf(own, description, network) };
  const over = ended !== undefined || (epoch !== null && epochs !== null && epoch >= epochs && left === 0);
  return {
    ...about,
    phase: over ? 'measuring' : 'training',
    measured: null,
    rate: over ? null : pace,
    secondsLeft: pace === null || left === null || over ? null : left / pace,
  };
}

/** Updates of every epoch: as an update has it, or by the last update that ended an epoch. */
function updatesInEpoch(records: readonly MetricRecord[]): number | null {
  const logged = records.findLast((record) => finite(record.updatesInEpoch) !== null);
  if (logged !== undefined) return finite(logged.updatesInEpoch);
  const ended = records.findLast(({ endsEpoch, epoch }) => endsEpoch === true && (finite(epoch) ?? 0) > 0);
  return ended === undefined ? null : (ended.number as number) / (ended.epoch as number);
}

/** The measurement of samples that the last record is of, on one update's weights; its rate is that since the record before it. */
function samplesOf(
  own: readonly MetricRecord[],
  description: RecordDescription,
  { members }: PlannedNetwork,
): Pick<RunProgress, 'phase' | 'measured' | 'rate' | 'secondsLeft'> {
  const last = own.at(-1)!;
  const same = own.filter(({ stream, number }) => stream === last.stream && number === last.number);
  const before = own[own.indexOf(same[0]!) - 1];
  const total = totalOf(description, last);
  const of = total === undefined ? null : Math.max(same.length, total * (members?.length ?? 1));
  const [begun, now] = [secondsOf(before ?? same[0]), secondsOf(same.at(-1))];
  const rate = begun !== null && now !== null && now > begun ? same.length / (now - begun) : null;
  const { name, role } = description;
  return {
    phase: 'measuring',
    measured: { stream: String(last.stream), name, role, done: same.length, of },
    rate,
    secondsLeft: rate === null || of === null ? null : Math.max(0, of - same.length) / rate,
  };
}

function secondsToTrain(run: {
  readonly networks: readonly PlannedNetwork[];
  readonly index: number;
  readonly pace: number | null;
  readonly left: number | null;
  readonly updates: number | null;
}): number | null {
  const { networks, index, pace, left, updates } = run;
  const { epochs } = networks[index]!;
  if (pace === null || left === null || updates === null || !epochs) return null;
  const perEpoch = updates / epochs;
  const later = networks.slice(index + 1).map(({ epochs: own, branch }) => (own ?? epochs) - (branch?.epoch ?? 0));
  return (left + perEpoch * later.reduce((sum, one) => sum + Math.max(0, one), 0)) / pace;
}

/** Which of the networks goes by that name, or has a member that does; −1 where none has. */
function memberOf(networks: readonly PlannedNetwork[], name: unknown): number {
  return networks.findIndex((one) => one.name === name || one.members?.includes(String(name)));
}

/** Updates a second from one record to the other. */
function updateRate(from: MetricRecord | undefined, to: MetricRecord | undefined): number | null {
  const [begun, ended] = [secondsOf(from), secondsOf(to)];
  if (begun === null || ended === null || ended <= begun) return null;
  const rate = ((to!.number as number) - (from!.number as number)) / (ended - begun);
  return rate > 0 ? rate : null;
}

const secondsOf = (record: MetricRecord | undefined): number | null => finite(record?.wall?.seconds);

const finite = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/**
 * A run that is 'stopped', 'failed' or 'killed' can be resumed: it ended by request, with an error that it noted, or without a word.
 * 'elsewhere': a process of another machine or container holds it. 'damaged': its config or its metric log was changed from outside.
 * 'older format': an earlier version of Weir made it, and this one cannot read it.
 */
export type LifecycleState =
  | 'running'
  | 'elsewhere'
  | 'stopped'
  | 'failed'
  | 'killed'
  | 'done'
  | 'damaged'
  | 'older format';

/** Where a run stands. Plain data. */
export interface RunStatus extends RunProgress {
  readonly path: string;
  readonly pipeline: string;
  readonly state: LifecycleState;
  /** The process that holds the folder, or held it when it was killed. */
  readonly process: { readonly pid: number; readonly host: string } | null;
  readonly failure: RunFailure | null;
  /** How its files differ from what was written. */
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
export async function statusOf(path: string, now = Date.now()): Promise<RunStatus> {
  const folder = RunFolder.open(path);
  const { pipeline, networks = [] } = folder.started;
  const snapshots = networks.map(({ name }) => folder.snapshots(name).list());
  const done = snapshots.length > 0 && snapshots.every(([newest]) => newest?.label === 'done');
  const holder = holderOf(path);
  const failure = folder.failure ?? null;
  const state = stateOf(done, holder?.alive, failure !== null);
  const damage = state === 'running' || state === 'elsewhere' ? null : damageOf(folder); // the process that writes it checks it
  const times = snapshots.flat().flatMap((one) => statSync(one.path, { throwIfNoEntry: false })?.mtimeMs ?? []);
  return {
    path: folder.shown,
    pipeline,
    state: damage === null ? state : 'damaged',
    damage,
    process: holder ? { pid: holder.mark.pid, host: holder.mark.host } : null,
    failure,
    ...progressOf(folder, networks),
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

/** The status of a run that cannot be opened, which hides no other: its config is damaged, or of an older format. */
export const unreadableRun = (path: string, error: Error): RunStatus => ({
  path,
  pipeline: error instanceof OlderFormat ? (error.started.pipeline ?? '') : '',
  state: error instanceof OlderFormat ? 'older format' : 'damaged',
  damage: error instanceof OlderFormat ? null : error.message,
  process: null,
  failure: null,
  snapshotAge: null,
  ...unknownProgress,
});

function stateOf(done: boolean, alive: boolean | 'unknown' | undefined, failed: boolean): LifecycleState {
  if (alive === true) return 'running';
  if (alive === 'unknown') return 'elsewhere';
  if (failed) return 'failed'; // also where all is done but the report could not be written
  if (done) return 'done';
  return alive === false ? 'killed' : 'stopped';
}
