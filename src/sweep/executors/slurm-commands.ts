import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { WeirError } from '../../flow/errors.js';
import type { JobStatus } from './executor.js';

/** The state of one task of an array, in Slurm's words. */
export interface SlurmTaskState {
  /** Such as COMPLETED, or 'CANCELLED by 1000'. */
  readonly state: string;
  /** Exit status and signal, such as 75:0. */
  readonly exit: string;
}

/**
 * Parses lines of `JobID|State|ExitCode` into states by task, such as `4_2`. A waiting range such as `4_[3-5,9%2]` becomes one entry a
 * task. Of several lines of one task the last counts.
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

/** The status of a job by the state of its task. @param id the task, for messages */
export function jobStatusOf({ state, exit }: SlurmTaskState, id: string): JobStatus {
  const [word = ''] = state.split(' ');
  const [status = 0, signal = 0] = exit.split(':').map(Number);
  if (word === 'CANCELLED') return { state: 'cancelled', reason: `Slurm ${id}: ${state}` };
  if (word === 'COMPLETED') return { state: 'ended', status: 0 };
  // Ended from outside: a job with a new snapshot goes on; one without would end the same way again.
  if (word === 'TIMEOUT' || word === 'DEADLINE') {
    return {
      state: 'ended',
      status: null,
      signal: `Slurm ${id}: ${word}`,
      hopeless: true,
      reason: `Slurm ${id}: ${word}, it reached its time limit without a new snapshot`,
    };
  }
  if (word === 'OUT_OF_MEMORY') {
    return {
      state: 'ended',
      status: 137,
      reason: `Slurm ${id}: OUT_OF_MEMORY; give the job more: --slurm-option=--mem=…`,
    };
  }
  if (word === 'FAILED') {
    return signal > 0
      ? { state: 'ended', status: null, signal: `Slurm ${id}: signal ${signal}` }
      : { state: 'ended', status };
  }
  if (lost.has(word)) return { state: 'gone', reason: `Slurm ${id}: ${word}` };
  return { state: 'running' }; // PENDING, RUNNING, COMPLETING, REQUEUED, SUSPENDED, …
}

/** States in which the node was lost, and Slurm will not start the task again. */
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

/** Runs a command of Slurm. @returns its output @throws {WeirError} with its error message */
async function slurm(command: string, ...args: string[]): Promise<string> {
  try {
    return (await execute(command, args, { maxBuffer: 2 ** 28 })).stdout;
  } catch (cause) {
    const { code, stderr, message } = cause as Error & { readonly code?: unknown; readonly stderr?: string };
    if (code === 'ENOENT') {
      throw new WeirError(
        `${command} is not on this machine`,
        'run the sweep where Slurm’s commands are, or without Slurm',
        { cause },
      );
    }
    const text = (stderr?.trim() || message).replace(new RegExp(`^${command}: (error: )?`, 'gm'), '');
    throw new WeirError(`${command}: ${text}`, 'check `sinfo`, and the options given by --slurm-option', { cause });
  }
}

/** @throws {WeirError} where Slurm is not installed */
export async function requireSlurm(): Promise<void> {
  await slurm('sbatch', '--version');
}

/** Submits an array. @returns its number */
export async function submit(script: string, options: readonly string[]): Promise<string> {
  const output = await slurm('sbatch', '--parsable', ...options, script);
  return output.trim().split('\n').at(-1)!.split(';')[0]!; // 42;cluster
}

/** The states of all tasks of these arrays, from Slurm's accounting, or from its controller where no accounting is kept. */
export async function taskStates(arrays: readonly string[]): Promise<ReadonlyMap<string, SlurmTaskState>> {
  if (arrays.length === 0) return new Map();
  try {
    const asked = ['-X', '-n', '-P', '-j', arrays.join(','), '--format=JobID,State,ExitCode'];
    return tasksOf(await slurm('sacct', ...asked));
  } catch {
    return controllerStates(arrays);
  }
}

/** Tasks that have ended by Slurm's accounting, but whose processes are still being ended. */
export async function completing(arrays: readonly string[]): Promise<ReadonlySet<string>> {
  const asked = ['--noheader', '--array', '--states=COMPLETING', `--jobs=${arrays.join(',')}`, '--format=%F_%K'];
  return new Set((await slurm('squeue', ...asked).catch(() => '')).trim().split('\n'));
}

/** The number of the array with this name; undefined where it was not submitted. */
export async function arrayCalled(name: string): Promise<string | undefined> {
  const queued = await slurm('squeue', '--noheader', '--states=all', `--name=${name}`, '--format=%F');
  const known = queued.trim().split('\n')[0];
  if (known) return known;
  const asked = ['-X', '-n', '-P', `--name=${name}`, '-S', 'now-30days', '--format=JobID'];
  const accounted = await slurm('sacct', ...asked).catch(() => '');
  return accounted.trim().split('_')[0] || undefined;
}

/** Runs `scancel`: takes tasks out of the queue, or sends running ones a signal. */
export async function cancel(ids: readonly string[], ...options: string[]): Promise<void> {
  if (ids.length > 0) await slurm('scancel', ...options, ...ids);
}

/** The states that Slurm's controller knows; it forgets a task some minutes after its end (MinJobAge). */
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
