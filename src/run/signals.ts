const signals = ['SIGINT', 'SIGTERM'] as const;

/** Calls `stop` at the first SIGINT or SIGTERM; the second ends the process at once. @returns what undoes it. */
export function stopOnSignals(stop: () => void): () => void {
  let asked = false;
  const heard = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(signal === 'SIGINT' ? 130 : 143);
    asked = true;
    stop();
  };
  for (const signal of signals) process.on(signal, heard);
  return () => {
    for (const signal of signals) process.off(signal, heard);
  };
}
