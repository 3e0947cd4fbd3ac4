import type { HeartbeatConnection } from './line.js';

/** All ranks, once all have come. */
export interface ProcessGroup {
  /** `host:port` by rank. */
  readonly addresses: readonly string[];
  readonly hosts: readonly string[];
  /** Rank 0 has a line to every other supervisor; the others have one to rank 0's. */
  readonly lines: ReadonlyMap<number, HeartbeatConnection>;
}
