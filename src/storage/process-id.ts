import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, so described that one which later gets its number is not taken for it. */
export interface ProcessId {
  readonly pid: number;
  readonly host: string;
  /** When it started, as the system counts it (Linux: this boot, and ticks since); undefined where there is no /proc. */
  readonly started?: string;
  /** The boot of the kernel that runs it, on Linux. */
  readonly boot?: string;
  /** The namespace in which `pid` counts, on Linux: processes of one container number theirs anew, under the host's name or another. */
  readonly namespace?: string;
  /** When it started, for people: ISO 8601. */
  readonly since?: string;
  /** The task of Slurm that it is: Slurm can be asked about it from any machine. */
  readonly slurm?: string;
}

const outermost = 'pid:[4026531836]'; // of a machine itself: Linux gives it this number for good
const namespace = linkOf('/proc/self/ns/pid');
const boot = textOf('/proc/sys/kernel/random/boot_id');
const since = new Date(Date.now() - 1000 * process.uptime()).toISOString();

/** This process. */
export function thisProcess(): ProcessId {
  const slurm = slurmTask();
  return { ...processIdOf(process.pid), since, ...(slurm !== undefined && { slurm }) };
}

/** A process of this machine, and of this container, that runs, such as a child. */
export function processIdOf(pid: number): ProcessId {
  const started = startOf(pid);
  const kernel = boot !== undefined && namespace !== undefined && { boot, namespace };
  return { pid, host: hostname(), ...(started && { started }), ...kernel };
}

/**
 * Whether the process still runs: at once false after `kill -9`, and false for a zombie that its parent has not waited for.
 *
 * 'unknown' for one of another machine or container, which cannot be asked: one kernel tells its processes apart by number and
 * namespace, and two kernels by their boot. A process of an earlier boot is dead where both are of a machine itself, by one name, and
 * `ownDisk` says that no other machine can have written the mark; in a container the boot may be made up.
 */
export function isAlive(
  mark: ProcessId,
  { ownDisk = false }: { readonly ownDisk?: boolean } = {},
): boolean | 'unknown' {
  if (mark.boot === undefined || boot === undefined) {
    if (mark.host !== hostname()) return 'unknown';
  } else if (mark.boot !== boot) {
    const rebooted = mark.host === hostname() && mark.namespace === outermost && namespace === outermost;
    return ownDisk && rebooted ? false : 'unknown';
  } else if (mark.namespace !== namespace) return 'unknown';
  try {
    process.kill(mark.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if (mark.started === undefined || !ownProc()) return true;
  return startOf(mark.pid) === mark.started;
}

/**
 * How a mark is named to a user, and by a user: `--take-over 7@trainer@2026-01-31T12:00:00.123Z`. With its start, for in containers the
 * next process often has the number of the one before.
 */
export const nameOfProcess = ({ pid, host, since }: ProcessId): string =>
  [pid, host, ...(since === undefined ? [] : [since])].join('@');

/** Where the process is, as far as it is not here. */
export function locationOf(mark: ProcessId): string {
  return boot !== undefined && mark.boot === boot
    ? 'another container of this machine'
    : 'another machine or container';
}

/** Boot and start tick of a running process, from Linux's /proc; undefined elsewhere, and for one that has ended. */
function startOf(pid: number): string | undefined {
  if (boot === undefined || !ownProc()) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before may hold spaces
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${boot} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

/** Whether /proc shows the processes of this namespace: `unshare --pid` without --mount-proc leaves that of the one outside. */
const ownProc = (): boolean => linkOf('/proc/self') === String(process.pid);

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
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
export function endedInSlurm({ slurm }: ProcessId): boolean {
  if (slurm === undefined) return false;
  if (slurm === slurmTask()) return true;
  const asked = ['--noheader', '--format=%T', '--states=RUNNING,COMPLETING,SUSPENDED,STOPPED', `--jobs=${slurm}`];
  const { status, stdout, stderr } = spawnSync('squeue', asked, { encoding: 'utf8', timeout: 30_000 });
  return status === 0 ? stdout.trim() === '' : /Invalid job id/.test(stderr ?? ''); // forgotten: it ended long ago
}
