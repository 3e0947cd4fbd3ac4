import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder } from '../../storage/folders.js';
import { holderOf } from '../../storage/lock.js';
import type { JobLocation, Ledger } from '../ledger.js';
import type { ClaimedJob, Executor, JobStatus } from './executor.js';
import { arrayCalled, cancel, completing, jobStatusOf, submit, taskStates } from './slurm-commands.js';

const command = join(import.meta.dirname, '../../cli/weir.js');

export interface ArrayScript {
  /** Name of the array: unique to the sweep and to this submission. */
  readonly name: string;
  /** By index of the array: the folder of the job's run, and the log of what it says. */
  readonly tasks: readonly { readonly folder: string; readonly log: string }[];
  readonly threads?: number;
  /** Handed on to `weir resume`. */
  readonly options: readonly string[];
}

/**
 * Writes the script of an array, and beside it the list that its tasks take their job from by index.
 *
 * USR1 comes from Slurm before the time limit: the job stops after a snapshot, and the task is queued again. USR2 comes from the
 * sweep: the same, but not queued again. TERM reaches the job by itself, for Slurm sends it to all processes of a task.
 *
 * @returns the script's path
 */
export function writeArrayScript(folder: string, { name, tasks, threads, options }: ArrayScript): string {
  makeFolder(folder);
  const list = join(folder, `${name}.list`);
  writeFileSync(list, tasks.map((task) => `${resolve(task.folder)}\t${resolve(task.log)}\n`).join(''), { flush: true });
  const script = join(folder, `${name}.sh`);
  const words = [process.execPath, command, 'resume'].map(quoted).join(' ');
  const lines = [
    '#!/bin/bash',
    '# A task of a sweep of Weir: the job of its index. Written by `weir sweep`.',
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
    '# An index, for the number of an array’s first task is that of the whole array.',
    'if [ "$status" = 75 ] && [ -n "$again" ]; then scontrol requeue "$SLURM_ARRAY_JOB_ID"_"$SLURM_ARRAY_TASK_ID"; fi',
    'exit "$status"',
  ];
  writeFileSync(script, `${lines.join('\n')}\n`, { mode: 0o755, flush: true });
  return script;
}

/** A word for the shell, as it stands. */
const quoted = (word: string): string => (/^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

interface SlurmOptions {
  /** The sweep's folder, which all nodes see by this path. */
  readonly folder: string;
  readonly sweep: string;
  readonly ledger: Pick<Ledger, 'count'>;
  readonly options: readonly string[];
  readonly log: (held: ClaimedJob) => string;
  /** How many tasks of an array run at once. */
  readonly jobs?: number;
  readonly threads?: number;
  /** Handed to `sbatch`, such as `--time=4:00:00`. */
  readonly slurmOptions: readonly string[];
}

type ArrayTask = Extract<JobLocation, { readonly kind: 'slurm' }>;

const most = 1000; // tasks of an array: what Slurm takes where nobody has set MaxArraySize
const [soonest, latest] = [1000, 15_000]; // milliseconds from one question to the next: longer while nothing changes

/**
 * Runs jobs as tasks of arrays of Slurm, which decides when and where. `sacct` is the truth about them.
 *
 * The sweep's process only submits and looks: asked to stop it leaves the tasks to Slurm, and the next one finds them again. An array
 * that was submitted in the moment in which that process was killed is found by its name.
 */
export class SlurmArrays implements Executor {
  readonly onStop = 'leave';
  readonly room = most;
  private wait = soonest;
  private before = '';

  constructor(private readonly settings: SlurmOptions) {}

  async start(held: readonly ClaimedJob[], placed: (held: ClaimedJob, place: JobLocation) => void): Promise<void> {
    const { folder, sweep, ledger, options, log, jobs, threads, slurmOptions } = this.settings;
    const batch = `weir-${sweep.slice(0, 8)}-${ledger.count('batches')}`;
    for (const [index, one] of held.entries()) placed(one, { kind: 'slurm', batch, index });
    const tasks = held.map((one) => ({ folder: one.folder, log: log(one) }));
    const script = writeArrayScript(join(folder, 'slurm'), {
      name: batch,
      tasks,
      options,
      ...(threads !== undefined && { threads }),
    });
    const array = await submit(script, [
      ...[`--job-name=${batch}`, `--array=0-${held.length - 1}${jobs === undefined ? '' : `%${jobs}`}`],
      ...[`--output=${join(folder, 'logs', '%x-%a.out')}`, `--cpus-per-task=${threads ?? 1}`],
      ...slurmOptions,
    ]);
    for (const [index, one] of held.entries()) placed(one, { kind: 'slurm', batch, index, id: `${array}_${index}` });
    this.wait = soonest;
  }

  async look(held: readonly ClaimedJob[]): Promise<JobStatus[]> {
    try {
      return await this.ask(held);
    } catch (error) {
      // Its controller may be away for a while; the tasks go on without.
      this.wait = latest;
      return held.map(() => ({ state: 'running', note: `${(error as Error).message}; asking again` }));
    }
  }

  private async ask(held: readonly ClaimedJob[]): Promise<JobStatus[]> {
    const found = await this.submitted(held);
    const ids = held.map((one) => {
      const place = placeOf(one);
      return place?.id ?? (place && found.has(place.batch) ? `${found.get(place.batch)}_${place.index}` : undefined);
    });
    const arrays = [...new Set(ids.flatMap((id) => (id === undefined ? [] : [id.split('_')[0]!])))];
    const said = await taskStates(arrays);
    const now = JSON.stringify([...said]);
    this.wait = now === this.before ? Math.min(latest, 1.5 * this.wait) : soonest;
    this.before = now;
    const standings = held.map((one, i): JobStatus => {
      const id = ids[i];
      if (id === undefined) return withoutTask(one);
      const task = said.get(id);
      const standing = task === undefined ? unheard(one) : jobStatusOf(task, id);
      if (standing.state !== 'running' || placeOf(one)?.id !== undefined) return standing;
      return { ...standing, place: { ...placeOf(one)!, id } };
    });
    if (standings.every(({ state }) => state === 'running')) return standings;
    // A job is not begun anew while what ran it is still being ended: its folder would be found in use.
    const still = await completing(arrays);
    return standings.map((standing, i) => (still.has(ids[i] ?? '') ? { state: 'running' } : standing));
  }

  async pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.wait));
  }

  async stop(held: readonly ClaimedJob[]): Promise<void> {
    const ids = held.flatMap((one) => placeOf(one)?.id ?? []);
    await cancel(ids, '--state=PENDING');
    await cancel(ids, '--state=RUNNING', '--batch', '--signal=USR2'); // our script has them stop after a snapshot
  }

  /** Arrays whose number was not noted, by name: those that were submitted all the same. */
  private async submitted(held: readonly ClaimedJob[]): Promise<Map<string, string>> {
    const lost = new Set(held.flatMap((one) => (placeOf(one)?.id === undefined ? (placeOf(one)?.batch ?? []) : [])));
    const found = new Map<string, string>();
    for (const batch of lost) {
      const array = await arrayCalled(batch);
      if (array !== undefined) found.set(batch, array);
    }
    return found;
  }
}

function placeOf({ entry }: ClaimedJob): ArrayTask | undefined {
  const place = entry.lease?.place;
  return place?.kind === 'slurm' ? place : undefined;
}

/** A job that was claimed and never submitted, or that runs as a process of this machine. */
function withoutTask({ folder }: ClaimedJob): JobStatus {
  return holderOf(folder)?.alive === true ? { state: 'running' } : { state: 'gone', reason: 'not submitted' };
}

/** Slurm does not know the task yet, or no more. */
function unheard({ entry, folder }: ClaimedJob): JobStatus {
  const young = Date.now() - entry.changed < 60_000;
  if (young || holderOf(folder)?.alive === true) return { state: 'running' };
  return { state: 'gone', reason: 'Slurm knows nothing of it any more' };
}
