import { everything, type Share } from '../data/loader.js';
import type { Flow } from '../flow/flow.js';
import type { MetricLog } from '../storage/metric-log.js';
import type { RunState } from '../storage/run-state.js';
import { now } from '../surroundings/surroundings.js';

/** Requests that are answered at a barrier. */
export interface Votes {
  readonly stop: boolean;
  readonly snapshot: boolean;
  readonly hold: boolean;
}

/** The part of the metric log that a run uses. */
export type Log = Pick<MetricLog, 'mark' | 'append' | 'flush' | 'flushAfter' | 'cutBack' | 'follow' | 'close'>;

/** Decisions that all processes of a run take alike; a run in one process has `single`. */
export interface Consensus {
  /** The part of every batch that this process takes. */
  readonly share: Share;
  /** Whether there is no other process. */
  readonly alone: boolean;
  /** Whether this process writes the run's folder: one of them does. */
  readonly writes: boolean;
  /** Seconds that each process has waited for the others so far, by rank. */
  readonly waited: readonly number[];
  /**
   * The votes of all processes together, at the barrier after `update`.
   *
   * @param decisions what this process has decided by itself, by name
   * @throws {WeirError} where another has decided otherwise
   */
  agree(votes: Votes, update: number, decisions: () => Readonly<Record<string, unknown>>): Votes;
  /** @throws {WeirError} where processes cannot share the graph, or its parts or data are not the same for all */
  sameGraph(flow: Flow, update: number): void;
  /** @throws {WeirError} where the update or a state is not the same for all */
  sameState(flow: Flow, state: RunState): void;
  /** @throws {WeirError} where these values are not the same for all */
  same(mine: Readonly<Record<string, unknown>>, how: { readonly remedy: string }): void;
}

/** The consensus of one process with itself. */
export const single: Consensus = {
  share: everything,
  alone: true,
  writes: true,
  waited: [],
  agree: (votes) => votes,
  sameGraph: () => undefined,
  sameState: () => undefined,
  same: () => undefined,
};

/** The part of the time that each rank waits for the others, from one reading to the next. */
export class WaitMeter {
  private at = now();
  private past: readonly number[] = [];

  /** @param waited seconds that each rank has waited so far, by rank @returns a number from 0 to 1 for each */
  read(waited: readonly number[]): readonly number[] {
    const time = now();
    const seconds = Math.max(0.001, (time - this.at) / 1000);
    const { past } = this;
    this.at = time;
    this.past = waited;
    return waited.map((sum, rank) => Math.min(1, Math.max(0, sum - (past[rank] ?? sum)) / seconds));
  }
}

/** A reading of a `WaitMeter` as text, or nothing where there is one process alone. */
export function waitsText(parts: readonly number[]): string | null {
  if (parts.length === 0) return null;
  return `ranks wait ${parts.map((part) => `${Math.round(100 * part)} %`).join(', ')}`;
}

/** The log of a rank that does not write: it keeps no line. */
export const unwritten: Log = {
  mark: { bytes: 0, sha256: '' },
  append: () => undefined,
  flush: () => undefined,
  flushAfter: () => undefined,
  cutBack: () => undefined,
  follow: () => undefined,
  close: () => undefined,
};
