/** Exit status of a run that was stopped and can be resumed (EX_TEMPFAIL). */
export const resumable = 75;

/** Slurm sends SIGUSR1 before a time limit where asked to: `sbatch --signal=B:USR1@120`. */
const signals = ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const;

/**
 * Calls `stop` at the first of these signals; a second SIGINT or SIGTERM ends the process at once, and a second SIGUSR1 changes nothing.
 *
 * @param insistent false in the process of a rank, which may get a signal from its supervisor and from Slurm: the supervisor ends it
 * @returns a function that removes the handlers
 */
export function stopOnSignals(stop: () => void, insistent = true): () => void {
  let asked = false;
  const heard = (signal: NodeJS.Signals): void => {
    if (asked && signal !== 'SIGUSR1' && insistent) process.exit(signal === 'SIGINT' ? 130 : 143);
    if (asked) return;
    asked = true;
    stop();
  };
  for (const signal of signals) process.on(signal, heard);
  return () => {
    for (const signal of signals) process.off(signal, heard);
  };
}

/**
 * Stops this process, as SIGTERM does, once the process that started it is gone: a sweep starts its jobs, and a supervisor its ranks. Does
 * nothing elsewhere, and does not keep the process alive.
 */
export function stopWithParent(): void {
  if (process.channel === undefined) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
