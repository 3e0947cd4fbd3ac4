import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder } from '../../storage/make-folder.js';

const command = join(import.meta.dirname, '../../cli/weir.js');

export interface Batch {
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
export function writeBatch(folder: string, { name, tasks, threads, options }: Batch): string {
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
