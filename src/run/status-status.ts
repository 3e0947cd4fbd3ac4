import { statSync } from 'node:fs';
import { WeirError } from '../flow/errors.js';
import { editsOf } from '../storage/edits.js';
import { type Failure, type Planned, planned, RunFolder } from '../storage/folder.js';
import { foreignIn } from '../storage/origin.js';
import { holderOf } from '../storage/snapshot-lock.js';
import { loadPipeline } from './load-module.js';
import { logDamage } from './run-log.js';
import { NOTHING, type Progress, progressOf } from './status-progress.js';

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
  readonly failure: Failure | null;
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
    const [edit] = editsOf(folder);
    if (edit !== undefined) return `config.json was edited: ${edit}`;
    const [foreign] = foreignIn(folder);
    if (foreign !== undefined) return foreign;
    const damage = logDamage(folder);
    return damage === undefined ? null : `the metric log ${damage}`;
  } catch (error) {
    if (error instanceof WeirError) return error.message;
    if (error instanceof SyntaxError) return `identity.json is damaged: ${error.message}`;
    throw error;
  }
}

/** The status of a run whose config cannot be read, which hides no other. */
export const damagedRun = (path: string, { message }: Pick<Error, 'message'>): Status => ({
  ...{ path, pipeline: '', state: 'damaged', damage: message },
  ...{ process: null, failure: null, snapshotAge: null, ...NOTHING },
});

/** As the config lists them; of a run of an earlier version as its pipeline does. */
async function networksOf({ started }: RunFolder): Promise<readonly Planned[]> {
  const { networks, module, config, seed } = started;
  return networks ?? planned((await loadPipeline(module)).networks(config, seed));
}

function stateOf(done: boolean, alive: boolean | 'unknown' | undefined, failed: boolean): State {
  if (alive === true) return 'running';
  if (alive === 'unknown') return 'elsewhere';
  if (failed) return 'failed'; // done too, where only its report could not be written
  if (done) return 'done';
  return alive === false ? 'killed' : 'stopped';
}
