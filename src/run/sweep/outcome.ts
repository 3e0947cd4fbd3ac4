import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type Planned, RunFolder } from '../folder.js';
import { resumable } from '../session.js';
import type { Ending } from './entry.js';
import type { Held, Standing } from './executor.js';

/** Whether the run in this folder is done to the last: all its networks, and its report. */
export function isFinished(path: string): boolean {
  if (!existsSync(join(path, 'report', 'report.html')) || !existsSync(join(path, 'config.json'))) return false;
  const run = RunFolder.open(path);
  const { networks } = run.started;
  return (networks ?? []).every(({ name }) =>
    run
      .snapshots(name)
      .list()
      .some(({ label }) => label === 'done'),
  );
}

/** After which updates the newest snapshots of a run were written, in a word that changes whenever the run has come further. */
export function snapshotsOf(path: string): string {
  if (!existsSync(join(path, 'config.json'))) return '';
  const run = RunFolder.open(path);
  return (run.started.networks ?? []).flatMap(({ name }: Planned) => newest(run, name)).join(' ');
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
  const failure = existsSync(join(folder, 'config.json')) ? RunFolder.open(folder).failure : undefined;
  if (failure !== undefined) return { state: 'failed', reason: failure.message };
  return { state: 'waiting', ...(!barren && { barren }), reason: standing.reason };
}

function failureOf(folder: string, status: number, log: string): string {
  const noted = existsSync(join(folder, 'config.json')) ? RunFolder.open(folder).failure?.message : undefined;
  if (noted !== undefined) return noted;
  if (status === 0) return 'it ended as if it were done, but its folder does not hold all of it';
  const lines = existsSync(log) ? stripVTControlCharacters(readFileSync(log, 'utf8')).trim().split('\n') : [];
  const said = lines.findLast((line) => line.startsWith('weir:')) ?? lines.at(-1);
  return `exit status ${status}${said === undefined || said === '' ? '' : `: ${said.replace(/^weir: /, '')}`}`;
}
