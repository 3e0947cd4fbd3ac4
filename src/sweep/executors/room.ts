import { availableParallelism, freemem } from 'node:os';

const most = 2 ** 30; // bytes that a job is taken to need where nobody says

/**
 * How many jobs of so many threads fit on this machine at once: as many as its cores and its free memory hold, one at least.
 *
 * Threads are a job's own and stay as they are, so how many jobs run beside it changes nothing in what it computes.
 */
export function jobsThatFit({
  threads,
  memory = most,
}: {
  readonly threads: number /** bytes */;
  readonly memory?: number;
}): number {
  const free = process.availableMemory?.() ?? freemem();
  return Math.max(1, Math.min(Math.floor(availableParallelism() / threads), Math.floor(free / memory)));
}

/** How many threads a job has, where so many run at once and nobody says: `WEIR_THREADS`, else its share of the cores. */
export const threadsFor = (jobs: number): number =>
  Number(process.env.WEIR_THREADS) || Math.max(1, Math.floor(availableParallelism() / jobs));
