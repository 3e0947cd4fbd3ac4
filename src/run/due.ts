/** When snapshots come, in any of three ways. */
export interface Cadence {
  /** Seconds from one snapshot to the next. */
  readonly snapshotEvery: number;
  /** Updates from one snapshot to the next, besides; no such rule where it is left out. Counted as they are logged. */
  readonly snapshotUpdates?: number;
  /** Epochs from one snapshot to the next, besides. */
  readonly snapshotEpochs?: number;
}

/** How far a network is: its newest update, and the epoch that it is the last of, where it is one; and when that was, in milliseconds. */
export interface Moment {
  readonly at: number;
  readonly update: number;
  readonly epoch: number | undefined;
}

/** Whether it is time for a snapshot, by the clock, by updates or by epochs. */
export function isDue(
  { snapshotEvery, snapshotUpdates, snapshotEpochs }: Cadence,
  saved: Moment,
  now: Moment,
): boolean {
  if (now.at - saved.at > 1000 * snapshotEvery) return true;
  if (snapshotUpdates !== undefined && now.update - saved.update >= snapshotUpdates) return true;
  if (snapshotEpochs === undefined || !now.epoch || now.epoch === saved.epoch) return false; // nothing to keep before the first
  return now.epoch % snapshotEpochs === 0;
}
