import type { Flow } from '../flow/flow.js';
import { toError } from '../flow/terminal.js';
import type { MetricRecord } from '../storage/journal.js';
import type { Network } from './pipeline.js';

/** Whoever is told what a run does. */
export interface Watch {
  /** A network's graph is about to start; `resumed` is the update it goes on from. */
  network(network: Network, index: number, of: number, flow: Flow, resumed: number | undefined): void;
  record(record: MetricRecord): void;
  snapshot(path: string, update: number): void;
  warn(message: string): void;
  /** The graph is at a barrier: its nodes can be read. `waited` is the seconds that each rank has waited for the others so far. */
  barrier(waited: readonly number[]): void;
  /** The run is held at a barrier, or goes on. */
  held(now: boolean): void;
}

/** How a process that worked on a run ended. */
export type RunEnding = 'done' | 'stopped' | 'failed';

/** What a run does when it is asked. */
export interface RunActions {
  stop(): void;
  snapshot(): void;
  pause(): void;
  resume(): void;
}

/** A watch that acts on the run too, and is open as long as the run is: a socket, a page in a browser. */
export interface RemoteControl extends Watch {
  /** Where it can be reached, as a line for the terminal; none where only a socket is open. @throws {WeirError} where it cannot be */
  opened(): Promise<string | undefined>;
  close(how: RunEnding): Promise<void>;
}

/** Two watches as one. */
export const bothWatches = (first: Watch, second: Watch): Watch => ({
  network(...about) {
    first.network(...about);
    second.network(...about);
  },
  record(record) {
    first.record(record);
    second.record(record);
  },
  snapshot(...about) {
    first.snapshot(...about);
    second.snapshot(...about);
  },
  warn(message) {
    first.warn(message);
    second.warn(message);
  },
  barrier(waited) {
    first.barrier(waited);
    second.barrier(waited);
  },
  held(now) {
    first.held(now);
    second.held(now);
  },
});

const nothing = (): void => undefined;

/** Nobody watches; warnings go to standard error. */
export const unwatched: Watch = {
  ...{ network: nothing, record: nothing, snapshot: nothing, barrier: nothing, held: nothing },
  warn: (message) => void toError(`${message}\n`),
};
