import type { Flow } from '../flow/flow.js';
import { toError } from '../flow/terminal.js';
import type { StreamRecord } from '../storage/metric-reader.js';
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

/** Writes warnings to standard error, and ignores the rest. */
export const unwatched: Watch = {
  network: nothing,
  record: nothing,
  snapshot: nothing,
  barrier: nothing,
  held: nothing,
  warn: (message) => void toError(`${message}\n`),
};
