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
