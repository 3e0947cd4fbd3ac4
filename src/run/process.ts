/** Exit status of a run that was stopped and can be resumed (EX_TEMPFAIL). */
export const resumable = 75;

/** SIGUSR1 is what Slurm can be told to send before a time limit: `sbatch --signal=B:USR1@120`. */
const signals = ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const;

/**
 * Calls `stop` at the first of these signals; a second SIGINT or SIGTERM ends the process at once, further SIGUSR1 change nothing.
 *
 * @param insistent off in the process of a rank, which may hear a signal from its supervisor and from Slurm: the supervisor ends it
 * @returns what undoes it
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
 * Where a supervisor has started this process (a sweep a job, several ranks each rank): stops it, as SIGTERM does, when that one is gone,
 * so that nothing works on unattended. It lies here because both need it.
 *
 * Does not keep the process alive.
 */
export function stopWithParent(): void {
  if (process.channel === undefined) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
