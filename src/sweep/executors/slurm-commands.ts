import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { WeirError } from '../../flow/errors.js';
import type { JobStatus } from './executor.js';

/** What Slurm says of a task of an array. */
export interface SlurmTaskState {
  /** Such as COMPLETED, or 'CANCELLED by 1000'. */
  readonly state: string;
  /** As 75:0, status and signal. */
  readonly exit: string;
}

/**
 * Lines of `JobID|State|ExitCode` by task, as `4_2`; a waiting range such as `4_[3-5,9%2]` is taken apart.
 *
 * Of several lines of one task the last counts.
 */
export function tasksOf(lines: string): Map<string, SlurmTaskState> {
  const tasks = new Map<string, SlurmTaskState>();
  for (const line of lines.split('\n')) {
    const [id, state, exit = '0:0'] = line.trim().split('|');
    const [, array, index] = /^(\d+)_(\d+|\[[\d,%-]+\])$/.exec(id ?? '') ?? [];
    if (array === undefined || index === undefined || state === undefined) continue;
    for (const one of indices(index)) tasks.set(`${array}_${one}`, { state, exit });
  }
  return tasks;
}

/** Where a job stands by what Slurm says of its task. */
export function jobStatusOf({ state, exit }: SlurmTaskState, id: string): JobStatus {
  const [word = ''] = state.split(' ');
  const [status = 0, signal = 0] = exit.split(':').map(Number);
  if (word === 'CANCELLED') return { state: 'cancelled', reason: `Slurm ${id}: ${state}` };
  if (word === 'COMPLETED') return { state: 'ended', status: 0 };
  // The task was ended from outside: a job that had come further than before goes on, one that had not would not get further either.
  if (word === 'TIMEOUT' || word === 'DEADLINE') {
    return {
      ...{ state: 'ended', status: null, signal: `Slurm ${id}: ${word}`, hopeless: true },
      reason: `Slurm ${id}: ${word}, over its time limit without a new snapshot`,
    };
  }
  if (word === 'OUT_OF_MEMORY') {
    return { state: 'ended', status: 137, reason: `Slurm ${id}: OUT_OF_MEMORY; give it more: --slurm-option=--mem=…` };
  }
  if (word === 'FAILED') {
    return signal > 0
      ? { state: 'ended', status: null, signal: `Slurm ${id}: signal ${signal}` }
      : { state: 'ended', status };
  }
  if (lost.has(word)) return { state: 'gone', reason: `Slurm ${id}: ${word}` };
  return { state: 'running' }; // PENDING, RUNNING, COMPLETING, REQUEUED, SUSPENDED, …
}

/** The node or the place was taken away, and Slurm will not bring the task back. */
const lost = new Set(['NODE_FAIL', 'BOOT_FAIL', 'PREEMPTED', 'REVOKED']);

function indices(text: string): number[] {
  return text
    .replace(/[[\]]|%.*/g, '')
    .split(',')
    .flatMap((part) => {
      const [from = 0, to = from] = part.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
}

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
export async function taskStates(arrays: readonly string[]): Promise<ReadonlyMap<string, SlurmTaskState>> {
  if (arrays.length === 0) return new Map();
  try {
    const asked = ['-X', '-n', '-P', '-j', arrays.join(','), '--format=JobID,State,ExitCode'];
    return tasksOf(await slurm('sacct', ...asked));
  } catch {
    return controllerStates(arrays);
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
export async function controllerStates(arrays: readonly string[]): Promise<ReadonlyMap<string, SlurmTaskState>> {
  const fields = 'ArrayJobID:_,ArrayTaskID:|,State:|,exit_code:';
  try {
    const asked = ['--noheader', '--array', '--states=all', `--jobs=${arrays.join(',')}`, `--Format=${fields}`];
    return tasksOf(await slurm('squeue', ...asked));
  } catch (error) {
    if (/Invalid job id/.test((error as Error).message)) return new Map(); // forgotten
    throw error;
  }
}
