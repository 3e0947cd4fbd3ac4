import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { holderOf } from '../../storage/lock.js';
import { makeFolder } from '../../surroundings/folders.js';
import type { JobLocation, Ledger } from '../ledger.js';
import type { ClaimedJob, Executor, JobStatus } from './executor.js';
import { arrayCalled, cancel, completing, jobStatusOf, submit, taskStates } from './slurm-commands.js';

const command = join(import.meta.dirname, '../../cli/weir.js');

export interface ArrayScript {
  /** Name of the array: unique to the sweep and to this submission. */
  readonly name: string;
  /** By index of the array: the folder of the job's run, and the file for its output. */
  readonly tasks: readonly { readonly folder: string; readonly log: string }[];
  readonly threads?: number;
  /** Arguments for `weir resume`. */
  readonly options: readonly string[];
}

/**
 * Writes the script of an array, and beside it the list in which each task finds its job by index.
 *
 * Slurm sends USR1 before the time limit: the job stops after a snapshot, and the task is queued again. The sweep sends USR2: the
 * job stops likewise, and the task is not queued again. Slurm sends TERM to all processes of a task, so the script ignores it.
 *
 * @returns the script's path
 */
function writeArrayScript(folder: string, { name, tasks, threads, options }: ArrayScript): string {
  makeFolder(folder);
  const list = join(folder, `${name}.list`);
  writeFileSync(list, tasks.map((task) => `${resolve(task.folder)}\t${resolve(task.log)}\n`).join(''), { flush: true });
  const script = join(folder, `${name}.sh`);
  const words = [process.execPath, command, 'resume'].map(quoted).join(' ');
  const lines = [
    '#!/bin/bash',
    '# A task of a sweep of Weir runs the job of its index. Written by `weir sweep`.',
    '#SBATCH --requeue',
    '#SBATCH --open-mode=append',
    '#SBATCH --signal=B:USR1@120',
    `cd ${quoted(process.cwd())} || exit 1`,
    `IFS=$'\\t' read -r run log < <(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" ${quoted(resolve(list))})`,
    ...(threads === undefined ? [] : [`export WEIR_THREADS=${threads}`]),
    'export NO_COLOR=1',
    'job= again=',
    'ask() { [ -n "$job" ] && kill -USR1 "$job" 2> /dev/null; }',
    "trap 'again=yes; ask' USR1",
    "trap 'again=; ask' USR2",
    "trap ':' TERM",
    `${words} "$run" ${options.map(quoted).join(' ')} >> "$log" 2>&1 &`,
    'job=$!',
    'while kill -0 "$job" 2> /dev/null; do wait "$job"; done # a signal ends a wait early',
    'wait "$job"',
    'status=$?',
    '# By array and index: the job number of the first task would name the whole array.',
    'if [ "$status" = 75 ] && [ -n "$again" ]; then scontrol requeue "$SLURM_ARRAY_JOB_ID"_"$SLURM_ARRAY_TASK_ID"; fi',
    'exit "$status"',
  ];
  writeFileSync(script, `${lines.join('\n')}\n`, { mode: 0o755, flush: true });
  return script;
}

/** A word quoted for the shell. */
const quoted = (word: string): string => (/^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

interface SlurmOptions {
  /** The sweep's folder, under the same path on all nodes. */
  readonly folder: string;
  readonly sweep: string;
  readonly ledger: Pick<Ledger, 'count'>;
  readonly options: readonly string[];
  readonly log: (held: ClaimedJob) => string;
  /** How many tasks of an array run at once. */
  readonly jobs?: number;
  readonly threads?: number;
  /** Options for `sbatch`, such as `--time=4:00:00`. */
  readonly slurmOptions: readonly string[];
}

type ArrayTask = Extract<JobLocation, { readonly kind: 'slurm' }>;

const mostTasks = 1000; // of an array: Slurm's limit unless MaxArraySize is set
const [soonest, latest] = [1000, 15_000]; // milliseconds from one query to the next: they grow while nothing changes

/**
 * Runs jobs as tasks of Slurm arrays; Slurm decides when and where. `sacct` has the last word on their state.
 *
 * The sweep's process only submits and polls. When it stops, the tasks stay with Slurm, and the next process of the sweep finds them
 * again. Should it be killed between submitting an array and noting its number, the array is found by its name.
 */
export class SlurmArrays implements Executor {
  readonly onStop = 'leave';
  readonly capacity = mostTasks;
  private interval = soonest;
  private before = '';

  constructor(private readonly settings: SlurmOptions) {}

  async start(held: readonly ClaimedJob[], located: (held: ClaimedJob, location: JobLocation) => void): Promise<void> {
    const { folder, sweep, ledger, options, log, jobs, threads, slurmOptions } = this.settings;
    const batch = `weir-${sweep.slice(0, 8)}-${ledger.count('batches')}`;
    for (const [index, one] of held.entries()) located(one, { kind: 'slurm', batch, index });
    const tasks = held.map((one) => ({ folder: one.folder, log: log(one) }));
    const script = writeArrayScript(join(folder, 'slurm'), {
      name: batch,
      tasks,
      options,
      ...(threads !== undefined && { threads }),
    });
    const array = await submit(script, [
      `--job-name=${batch}`,
      `--array=0-${held.length - 1}${jobs === undefined ? '' : `%${jobs}`}`,
      `--output=${join(folder, 'logs', '%x-%a.out')}`,
      `--cpus-per-task=${threads ?? 1}`,
      ...slurmOptions,
    ]);
    for (const [index, one] of held.entries()) located(one, { kind: 'slurm', batch, index, id: `${array}_${index}` });
    this.interval = soonest;
  }

  async poll(held: readonly ClaimedJob[]): Promise<JobStatus[]> {
    try {
      return await this.ask(held);
    } catch (error) {
      // Slurm's controller may be down for a while; the tasks go on without it.
      this.interval = latest;
      return held.map(() => ({ state: 'running', note: `${(error as Error).message}; asking again later` }));
    }
  }

  private async ask(held: readonly ClaimedJob[]): Promise<JobStatus[]> {
    const found = await this.submitted(held);
    const ids = held.map((one) => {
      const location = slurmTaskOf(one);
      return (
        location?.id ??
        (location && found.has(location.batch) ? `${found.get(location.batch)}_${location.index}` : undefined)
      );
    });
    const arrays = [...new Set(ids.flatMap((id) => (id === undefined ? [] : [id.split('_')[0]!])))];
    const states = await taskStates(arrays);
    const now = JSON.stringify([...states]);
    this.interval = now === this.before ? Math.min(latest, 1.5 * this.interval) : soonest;
    this.before = now;
    const statuses = held.map((one, i): JobStatus => {
      const id = ids[i];
      if (id === undefined) return withoutTask(one);
      const task = states.get(id);
      const status = task === undefined ? unknownToSlurm(one) : jobStatusOf(task, id);
      if (status.state !== 'running' || slurmTaskOf(one)?.id !== undefined) return status;
      return { ...status, location: { ...slurmTaskOf(one)!, id } };
    });
    if (statuses.every(({ state }) => state === 'running')) return statuses;
    // A job is not started again while Slurm still ends its last task: its folder would be in use.
    const ending = await completing(arrays);
    return statuses.map((status, i) => (ending.has(ids[i] ?? '') ? { state: 'running' } : status));
  }

  async wait(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.interval));
  }

  async stop(held: readonly ClaimedJob[]): Promise<void> {
    const ids = held.flatMap((one) => slurmTaskOf(one)?.id ?? []);
    await cancel(ids, '--state=PENDING');
    await cancel(ids, '--state=RUNNING', '--batch', '--signal=USR2'); // the batch script makes the job stop after a snapshot
  }

  /** The numbers, by name, of arrays that were submitted though their number was never noted. */
  private async submitted(held: readonly ClaimedJob[]): Promise<Map<string, string>> {
    const lost = new Set(
      held.flatMap((one) => (slurmTaskOf(one)?.id === undefined ? (slurmTaskOf(one)?.batch ?? []) : [])),
    );
    const found = new Map<string, string>();
    for (const batch of lost) {
      const array = await arrayCalled(batch);
      if (array !== undefined) found.set(batch, array);
    }
    return found;
  }
}

function slurmTaskOf({ entry }: ClaimedJob): ArrayTask | undefined {
  const location = entry.lease?.location;
  return location?.kind === 'slurm' ? location : undefined;
}

/** The status of a job without a Slurm task: it was never submitted, or runs as a process of this machine. */
function withoutTask({ folder }: ClaimedJob): JobStatus {
  return holderOf(folder)?.alive === true ? { state: 'running' } : { state: 'gone', reason: 'not submitted' };
}

/** The status of a task that Slurm does not know yet, or no longer. */
function unknownToSlurm({ entry, folder }: ClaimedJob): JobStatus {
  const young = Date.now() - entry.changed < 60_000;
  if (young || holderOf(folder)?.alive === true) return { state: 'running' };
  return { state: 'gone', reason: 'Slurm no longer knows its task' };
}
