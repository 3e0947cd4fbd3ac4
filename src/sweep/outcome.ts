import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { WeirError } from '../flow/errors.js';
import { logDamage } from '../run/run-log.js';
import { resumable } from '../run/session.js';
import { type Planned, RunFolder } from '../storage/folder.js';
import type { Ending } from './entry.js';
import type { Held, Standing } from './executors/executor.js';

/** Whether the run in this folder is done to the last: all its networks, and its report; and none of it is damaged. */
export function isFinished(path: string): boolean {
  if (!existsSync(join(path, 'report', 'report.html')) || !existsSync(join(path, 'config.json'))) return false;
  try {
    const run = RunFolder.open(path);
    const { networks } = run.started;
    const done = (networks ?? []).every(({ name }) => run.snapshots(name).list()[0]?.label === 'done');
    return done && logDamage(run) === undefined;
  } catch (error) {
    if (error instanceof WeirError) return false; // whoever goes on with it says what is wrong
    throw error;
  }
}

/** After which updates the newest snapshots of a run were written, in a word that changes whenever the run has come further. */
export function snapshotsOf(path: string): string {
  const run = opened(path);
  if (run === undefined) return '';
  return (run.started.networks ?? []).flatMap(({ name }: Planned) => newest(run, name)).join(' ');
}

/** The run in a folder; undefined where there is none, or a damaged one: its own process says so, and other jobs go on. */
function opened(path: string): RunFolder | undefined {
  if (!existsSync(join(path, 'config.json'))) return undefined;
  try {
    return RunFolder.open(path);
  } catch (error) {
    if (error instanceof WeirError) return undefined;
    throw error;
  }
}

function newest(run: RunFolder, network: string): string[] {
  const all = run.snapshots(network).list();
  const { label } = all.reduce((last, one) => (one.sequence > last.sequence ? one : last), { sequence: 0, label: '0' });
  return label === '0' ? [] : [`${network} ${label}`]; // before the first update nothing is gained
}

/** How the attempt ended, by its exit status where that is known, else by what its folder holds. */
export function endingOf(
  { folder, entry }: Pick<Held, 'folder' | 'entry'>,
  standing: Exclude<Standing, { readonly state: 'running' }>,
  log: string,
): Ending {
  if (isFinished(folder)) return { state: 'done' };
  if (standing.state === 'cancelled') return { state: 'cancelled', reason: standing.reason };
  const barren = snapshotsOf(folder) === entry.lease?.snapshots;
  if (standing.state === 'ended') {
    const { status, signal, reason, hopeless = false } = standing;
    if (status === resumable) return { state: 'waiting', barren, reason: reason ?? 'stopped' };
    if (status !== null) return { state: 'failed', reason: reason ?? failureOf(folder, status, log) };
    if (hopeless && barren) return { state: 'failed', ...(reason !== undefined && { reason }) };
    return { state: 'waiting', barren, reason: `killed by ${signal}` };
  }
  const failure = opened(folder)?.failure;
  if (failure !== undefined) return { state: 'failed', reason: failure.message };
  return { state: 'waiting', ...(!barren && { barren }), reason: standing.reason };
}

function failureOf(folder: string, status: number, log: string): string {
  const noted = opened(folder)?.failure?.message;
  if (noted !== undefined) return noted;
  if (status === 0) return 'it ended as if it were done, but its folder does not hold all of it';
  const lines = existsSync(log) ? stripVTControlCharacters(readFileSync(log, 'utf8')).trim().split('\n') : [];
  const said = lines.findLast((line) => line.startsWith('weir:')) ?? lines.at(-1);
  return `exit status ${status}${said === undefined || said === '' ? '' : `: ${said.replace(/^weir: /, '')}`}`;
}
