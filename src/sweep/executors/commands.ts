import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { WeirError } from '../../flow/errors.js';
import { type Said, tasksOf } from './states.js';

const execute = promisify(execFile);

/** Runs a command of Slurm. @throws {WeirError} with what it says */
async function slurm(command: string, ...args: string[]): Promise<string> {
  try {
    return (await execute(command, args, { maxBuffer: 2 ** 28 })).stdout;
  } catch (cause) {
    const { code, stderr, message } = cause as Error & { readonly code?: unknown; readonly stderr?: string };
    if (code === 'ENOENT') {
      throw new WeirError(
        `${command} is not on this machine`,
        'run the sweep where Slurm’s commands are, or without Slurm',
        {
          cause,
        },
      );
    }
    const said = (stderr?.trim() || message).replace(new RegExp(`^${command}: (error: )?`, 'gm'), '');
    throw new WeirError(`${command}: ${said}`, 'see `sinfo`, and what --slurm-option hands on', { cause });
  }
}

/** @throws {WeirError} where there is no Slurm */
export async function requireSlurm(): Promise<void> {
  await slurm('sbatch', '--version');
}

/** Submits an array. @returns its number */
export async function submit(script: string, options: readonly string[]): Promise<string> {
  const said = await slurm('sbatch', '--parsable', ...options, script);
  return said.trim().split('\n').at(-1)!.split(';')[0]!; // 42;cluster
}

/** What Slurm says of all tasks of these arrays: its accounting, and where that is not kept, its controller, as long as it remembers. */
export async function saidOf(arrays: readonly string[]): Promise<ReadonlyMap<string, Said>> {
  if (arrays.length === 0) return new Map();
  try {
    const asked = ['-X', '-n', '-P', '-j', arrays.join(','), '--format=JobID,State,ExitCode'];
    return tasksOf(await slurm('sacct', ...asked));
  } catch {
    return remembered(arrays);
  }
}

/** Tasks that have ended for Slurm's accounting while their processes are still being ended. */
export async function completing(arrays: readonly string[]): Promise<ReadonlySet<string>> {
  const asked = ['--noheader', '--array', '--states=COMPLETING', `--jobs=${arrays.join(',')}`, '--format=%F_%K'];
  return new Set((await slurm('squeue', ...asked).catch(() => '')).trim().split('\n'));
}

/** The number of the array of this name, if it was submitted. */
export async function arrayCalled(name: string): Promise<string | undefined> {
  const queued = await slurm('squeue', '--noheader', '--states=all', `--name=${name}`, '--format=%F');
  const known = queued.trim().split('\n')[0];
  if (known) return known;
  const accounted = await slurm(
    'sacct',
    '-X',
    '-n',
    '-P',
    `--name=${name}`,
    '-S',
    'now-30days',
    '--format=JobID',
  ).catch(() => '');
  return accounted.trim().split('_')[0] || undefined;
}

/** Takes tasks out of the queue, or sends those that run a signal. */
export async function cancel(ids: readonly string[], ...options: string[]): Promise<void> {
  if (ids.length > 0) await slurm('scancel', ...options, ...ids);
}

/** What the controller says, which forgets a task some minutes after it has ended (MinJobAge). */
export async function remembered(arrays: readonly string[]): Promise<ReadonlyMap<string, Said>> {
  const fields = 'ArrayJobID:_,ArrayTaskID:|,State:|,exit_code:';
  try {
    const asked = ['--noheader', '--array', '--states=all', `--jobs=${arrays.join(',')}`, `--Format=${fields}`];
    return tasksOf(await slurm('squeue', ...asked));
  } catch (error) {
    if (/Invalid job id/.test((error as Error).message)) return new Map(); // forgotten
    throw error;
  }
}
