import type { Standing } from './executor.js';

/** What Slurm says of a task of an array. */
export interface Said {
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
export function tasksOf(lines: string): Map<string, Said> {
  const tasks = new Map<string, Said>();
  for (const line of lines.split('\n')) {
    const [id, state, exit = '0:0'] = line.trim().split('|');
    const [, array, index] = /^(\d+)_(\d+|\[[\d,%-]+\])$/.exec(id ?? '') ?? [];
    if (array === undefined || index === undefined || state === undefined) continue;
    for (const one of indices(index)) tasks.set(`${array}_${one}`, { state, exit });
  }
  return tasks;
}

/** Where a job stands by what Slurm says of its task. */
export function standingOf({ state, exit }: Said, id: string): Standing {
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
