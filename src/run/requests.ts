import { firstValueFrom, race, Subject, timer } from 'rxjs';
import type { Flow } from '../flow/flow.js';

/** When snapshots come, in any of three ways. */
export interface SnapshotCadence {
  /** Seconds from one snapshot to the next. */
  readonly snapshotEvery: number;
  /** Updates from one snapshot to the next, besides; no such rule where it is left out. Counted as they are logged. */
  readonly snapshotUpdates?: number;
  /** Epochs from one snapshot to the next, besides. */
  readonly snapshotEpochs?: number;
}

/** How far a network is: its newest update, and the epoch that it is the last of, where it is one; and when that was, in milliseconds. */
export interface SnapshotPoint {
  readonly at: number;
  readonly update: number;
  readonly epoch: number | undefined;
}

/** Whether it is time for a snapshot, by the clock, by updates or by epochs. */
export function isDue(
  { snapshotEvery, snapshotUpdates, snapshotEpochs }: SnapshotCadence,
  saved: SnapshotPoint,
  now: SnapshotPoint,
): boolean {
  if (now.at - saved.at > 1000 * snapshotEvery) return true;
  if (snapshotUpdates !== undefined && now.update - saved.update >= snapshotUpdates) return true;
  if (snapshotEpochs === undefined || !now.epoch || now.epoch === saved.epoch) return false; // nothing to keep before the first
  return now.epoch % snapshotEpochs === 0;
}

const moment = 100; // milliseconds

/**
 * What a run is asked for from outside: a snapshot, or to be held. It acts where the graph is at rest.
 *
 * State: none that a snapshot keeps; a resumed run goes on.
 */
export class Requests {
  private pausing = false;
  private wanted = false;
  private readonly asked$ = new Subject<void>();

  /** At the next moment of rest, or at once where the run is held. */
  snapshot(flow: Flow | undefined): void {
    this.wanted = true;
    this.ask(flow);
  }

  /** From the next moment of rest on, until `resume` or a stop. */
  pause(flow: Flow | undefined): void {
    this.pausing = true;
    this.ask(flow);
  }

  resume(): void {
    this.pausing = false;
    this.asked$.next();
  }

  /** The flow is to stop: a run that is held looks at once. */
  stopped(): void {
    this.asked$.next();
  }

  /** Whether a snapshot was asked for since the last one. */
  takeSnapshot(): boolean {
    const { wanted } = this;
    this.wanted = false;
    return wanted;
  }

  /** Whether the flow is to be held now. */
  holds(flow: Flow): boolean {
    return this.pausing && !flow.stopping && !flow.finished && flow.ending === undefined;
  }

  /**
   * Holds the flow where it is at rest, and the process alive.
   *
   * @param rested called when something is asked for meanwhile; says whether it is held on
   * @param alone else it is called every moment too, for another rank may have been asked
   */
  async hold(flow: Flow, rested: () => boolean, alone = true): Promise<void> {
    const alive = setInterval(() => undefined, 2 ** 30);
    flow.held = true;
    try {
      for (let held = true; held && !flow.stopping; ) {
        await firstValueFrom(alone ? this.asked$ : race(this.asked$, timer(moment)));
        held = rested();
      }
    } finally {
      clearInterval(alive);
      flow.held = false;
      flow.roomMade();
    }
  }

  private ask(flow: Flow | undefined): void {
    if (flow?.paced === false) flow.restSoon();
    this.asked$.next();
  }
}
