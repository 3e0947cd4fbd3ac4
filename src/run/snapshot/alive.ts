import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, so described that one which later gets its number is not taken for it. */
export interface ProcessMark {
  readonly pid: number;
  readonly host: string;
  /** When it started, as the system counts it (Linux: this boot, and ticks since); undefined where there is no /proc. */
  readonly started?: string;
  /** The task of Slurm that it is: Slurm can be asked about it from any machine. */
  readonly slurm?: string;
}

/** This process. */
export function thisProcess(): ProcessMark {
  const slurm = slurmTask();
  return { ...markOf(process.pid), ...(slurm !== undefined && { slurm }) };
}

/** A process of this machine that runs, such as a child. */
export function markOf(pid: number): ProcessMark {
  const started = startOf(pid);
  return { pid, host: hostname(), ...(started && { started }) };
}

/**
 * Whether the process still runs: at once false after `kill -9`, and false for a zombie that nobody has waited for.
 *
 * 'unknown' for one of another machine, which cannot be asked.
 */
export function alive(mark: ProcessMark): boolean | 'unknown' {
  if (mark.host !== hostname()) return 'unknown';
  try {
    process.kill(mark.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if (mark.started === undefined) return true;
  return startOf(mark.pid) === mark.started;
}

/** Boot and start tick of a running process, from Linux's /proc; undefined elsewhere, and for one that has ended. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before may hold spaces
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

/** The task of an array, or the job, that this process is of. */
function slurmTask(): string | undefined {
  const { SLURM_ARRAY_JOB_ID: array, SLURM_ARRAY_TASK_ID: index, SLURM_JOB_ID: job } = process.env;
  return array !== undefined && index !== undefined ? `${array}_${index}` : job;
}

/**
 * Whether the process, of another machine, was a task of Slurm that runs no more, or that is this process: queued again elsewhere.
 *
 * Asks Slurm, which takes a moment.
 */
export function overInSlurm({ slurm }: ProcessMark): boolean {
  if (slurm === undefined) return false;
  if (slurm === slurmTask()) return true;
  const asked = ['--noheader', '--format=%T', '--states=RUNNING,COMPLETING,SUSPENDED,STOPPED', `--jobs=${slurm}`];
  const { status, stdout, stderr } = spawnSync('squeue', asked, { encoding: 'utf8', timeout: 30_000 });
  return status === 0 ? stdout.trim() === '' : /Invalid job id/.test(stderr ?? ''); // forgotten: it ended long ago
}
