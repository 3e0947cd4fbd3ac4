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
