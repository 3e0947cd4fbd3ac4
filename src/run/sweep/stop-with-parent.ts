/**
 * Where a sweep has started this process: stops it, as SIGTERM does, when that sweep is gone, so that nothing works on unattended.
 *
 * Does not keep the process alive.
 */
export function stopWithParent(): void {
  if (process.channel === undefined) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
