import { statSync } from 'node:fs';
import { join } from 'node:path';
import { RunFolder } from '../folder.js';
import { loadPipeline } from '../load-module.js';
import type { Network } from '../pipeline.js';
import { holderOf } from '../snapshot/lock.js';
import { lastRecords } from './tail.js';

/** 'killed' is stopped without having said so; both can be resumed. 'elsewhere': held by a process of another machine. */
export type State = 'running' | 'elsewhere' | 'stopped' | 'killed' | 'done';

/** Where a run stands. Plain data. */
export interface Status {
  readonly path: string;
  readonly pipeline: string;
  readonly state: State;
  /** Who holds the folder, or held it when it was killed. */
  readonly process: { readonly pid: number; readonly host: string } | null;
  /** The network under way, or the last one, counted from 1; null where nothing was logged yet. */
  readonly network: { readonly name: string; readonly index: number; readonly of: number } | null;
  readonly epoch: number | null;
  readonly epochs: number | null;
  readonly update: number | null;
  /** Seconds since the newest snapshot was written; null where there is none. */
  readonly snapshotAge: number | null;
  /** Updates a second, lately. */
  readonly rate: number | null;
  /** Seconds until this network is trained, at that rate; attacks and other measures come after it. */
  readonly secondsLeft: number | null;
}

/**
 * Where a run stands, from its files alone: the lock, the names of its snapshots, the end of its metric log. It disturbs nothing.
 *
 * @throws {WeirError} where there is no run, or its pipeline module is gone
 */
export async function statusOf(path: string, now = Date.now()): Promise<Status> {
  const folder = RunFolder.open(path);
  const { module, pipeline, config, seed } = folder.started;
  const networks = (await loadPipeline(module)).networks(config, seed);
  const snapshots = networks.map(({ name }) => folder.snapshots(name).list());
  const done = snapshots.every((list) => list.some(({ label }) => label === 'done'));
  const holder = holderOf(path);
  const times = snapshots.flat().map((one) => statSync(one.path).mtimeMs);
  const progress = progressOf(lastRecords(join(path, 'metrics.ndjson')), networks, config);
  return {
    ...{ path: folder.shown, pipeline, state: stateOf(done, holder?.alive) },
    process: holder ? { pid: holder.mark.pid, host: holder.mark.host } : null,
    ...progress,
    snapshotAge: times.length === 0 ? null : Math.max(0, (now - Math.max(...times)) / 1000),
  };
}

function stateOf(done: boolean, alive: boolean | 'unknown' | undefined): State {
  if (alive === true) return 'running';
  if (alive === 'unknown') return 'elsewhere';
  if (done) return 'done';
  return alive === false ? 'killed' : 'stopped';
}

type Progress = Pick<Status, 'network' | 'epoch' | 'epochs' | 'update' | 'rate' | 'secondsLeft'>;

/** The last record of the network that was logged last, and one before it for the rate. */
function progressOf(
  records: readonly Record<string, unknown>[],
  networks: readonly Network[],
  config: Readonly<Record<string, unknown>>,
): Progress {
  const last = records.findLast(({ network }) => memberOf(networks, network) >= 0);
  const index = memberOf(networks, last?.network);
  if (last === undefined || index < 0) {
    return { network: null, epoch: null, epochs: null, update: null, rate: null, secondsLeft: null };
  }
  const network = networks[index]!;
  const own = records.filter(
    (record) => memberOf([network], record.network) === 0 && typeof record.number === 'number',
  );
  const [first, newest] = [own[0], own.at(-1)];
  const updates = number(newest?.number);
  const epoch = number(newest?.epoch);
  const epochs = network.epochs ?? number(config.epochs);
  const rate = rateOf(first, newest);
  const whole = updates !== null && epoch !== null && epoch > 0 && epochs !== null ? (updates / epoch) * epochs : null;
  return {
    network: { name: network.name, index: index + 1, of: networks.length },
    ...{ epoch, epochs, update: updates, rate },
    secondsLeft: rate === null || whole === null || updates === null ? null : Math.max(0, whole - updates) / rate,
  };
}

/** Which of the networks goes by that name, or has a member that does; −1 where none has. */
function memberOf(networks: readonly Network[], name: unknown): number {
  return networks.findIndex((one) => one.name === name || one.members?.some((member) => member.name === name));
}

function rateOf(first: Record<string, unknown> | undefined, last: Record<string, unknown> | undefined): number | null {
  const seconds = (record: Record<string, unknown> | undefined) =>
    number((record?.wall as { seconds?: unknown } | undefined)?.seconds);
  const [from, to] = [seconds(first), seconds(last)];
  if (from === null || to === null || to <= from) return null;
  const rate = ((last!.number as number) - (first!.number as number)) / (to - from);
  return rate > 0 ? rate : null;
}

const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
