import { firstValueFrom, race, Subject, timer } from 'rxjs';
import type { Flow } from '../flow/flow.js';
import { toError } from '../flow/terminal.js';
import type { StreamRecord } from '../storage/metric-reader.js';
import { stayAlive } from '../surroundings/surroundings.js';
import type { Votes } from './consensus.js';
import type { Network } from './pipeline.js';

/** Receives everything that a run does. No method may throw or take long. */
export interface Watch {
  /** A network's graph is about to start; `resumed` is the update from which it goes on. */
  network(network: Network, index: number, of: number, flow: Flow, resumed: number | undefined): void;
  record(record: StreamRecord): void;
  snapshot(path: string, update: number): void;
  warn(message: string): void;
  /** The graph is at a barrier: its nodes can be read. `waited` is the seconds that each rank has waited for the others so far. */
  barrier(waited: readonly number[]): void;
  /** The run is held at a barrier, or goes on. */
  held(now: boolean): void;
}

/** How a process that worked on a run ended. */
export type RunEnding = 'done' | 'stopped' | 'failed';

/** Actions on a run that can be asked for from outside. */
export interface RunActions {
  stop(): void;
  snapshot(): void;
  pause(): void;
  resume(): void;
}

/** A watch that can act on the run too, and is open as long as the run is: a socket, a page in a browser. */
export interface RemoteControl extends Watch {
  /** Its address as a line for the terminal; none where only a socket is open. @throws {WeirError} where it cannot be opened */
  opened(): Promise<string | undefined>;
  close(how: RunEnding): Promise<void>;
}

/** Two watches as one. */
export function bothWatches(...both: readonly [Watch, Watch]): Watch {
  const each =
    <K extends keyof Watch>(method: K) =>
    (...about: Parameters<Watch[K]>): void => {
      for (const one of both) (one[method] as (...about: Parameters<Watch[K]>) => void).apply(one, about);
    };
  return {
    network: each('network'),
    record: each('record'),
    snapshot: each('snapshot'),
    warn: each('warn'),
    barrier: each('barrier'),
    held: each('held'),
  };
}

const nothing = (): void => undefined;

/** Writes warnings to standard error, and ignores the rest. */
export const unwatched: Watch = {
  network: nothing,
  record: nothing,
  snapshot: nothing,
  barrier: nothing,
  held: nothing,
  warn: (message) => void toError(`${message}\n`),
};

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
    const letGo = stayAlive();
    flow.barrier.hold();
    try {
      for (let held = true; held && !flow.barrier.stopping; ) {
        await firstValueFrom(this.alone ? this.changed$ : race(this.changed$, timer(poll)));
        held = stay();
      }
    } finally {
      letGo();
      flow.barrier.release();
      flow.demand.creditReturned();
    }
  }

  private changed(): void {
    this.flow?.barrier.reachSoon();
    this.changed$.next();
  }
}
