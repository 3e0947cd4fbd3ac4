import { firstValueFrom, race, Subject, timer } from 'rxjs';
import type { Flow } from '../flow/flow.js';
import type { Votes } from './consensus.js';
import type { RunActions } from './watch.js';

const poll = 100; // milliseconds from one vote of a held rank to the next

/**
 * Requests to a run from outside: to stop, to write a snapshot, to hold. They take effect at the next barrier.
 *
 * State: none that a snapshot keeps; a resumed run goes on.
 */
export class Requests implements RunActions {
  private flow: Flow | undefined;
  private stopping = false;
  private pausing = false;
  private wantsSnapshot = false;
  private readonly changed$ = new Subject<void>();

  /** @param alone whether no other rank must agree to stop */
  constructor(private readonly alone = true) {}

  /** Directs the requests to this flow, until `detach`. */
  attach(flow: Flow): void {
    this.flow = flow;
    if (this.stopping && this.alone) flow.stop();
  }

  detach(): void {
    this.flow = undefined;
  }

  /** Ends the run at the next barrier, after a snapshot. */
  stop(): void {
    this.stopping = true;
    if (this.alone) this.flow?.stop();
    this.changed$.next();
  }

  /** Writes a snapshot at the next barrier, or at once where the run is held. */
  snapshot(): void {
    this.wantsSnapshot = true;
    this.changed();
  }

  /** Holds the run from the next barrier on, until `resume` or `stop`. */
  pause(): void {
    this.pausing = true;
    this.changed();
  }

  resume(): void {
    this.pausing = false;
    this.changed$.next();
  }

  /** The votes of this process at a barrier; a request for a snapshot counts once. */
  votes(flow: Flow): Votes {
    const snapshot = this.wantsSnapshot;
    this.wantsSnapshot = false;
    const hold = this.pausing && !flow.barrier.stopping && !flow.finished && flow.barrier.ending === undefined;
    return { stop: this.stopping, snapshot, hold };
  }

  /**
   * Holds the flow at a barrier, and keeps the process alive.
   *
   * @param stay called after each request, and among several ranks every 100 ms too, for another rank may have been asked; returns whether
   * the flow stays held
   */
  async hold(flow: Flow, stay: () => boolean): Promise<void> {
    const alive = setInterval(() => undefined, 2 ** 30);
    flow.barrier.hold();
    try {
      for (let held = true; held && !flow.barrier.stopping; ) {
        await firstValueFrom(this.alone ? this.changed$ : race(this.changed$, timer(poll)));
        held = stay();
      }
    } finally {
      clearInterval(alive);
      flow.barrier.release();
      flow.demand.creditReturned();
    }
  }

  private changed(): void {
    this.flow?.barrier.reachSoon();
    this.changed$.next();
  }
}
