import type { Place } from '../entry.js';
import type { Executor, Held, Standing } from '../executor.js';
import type { Ledger } from '../ledger.js';
export interface SlurmOptions {
  readonly slurmOptions?: readonly string[];
}
export class SlurmArrays implements Executor {
  readonly onStop = 'leave';
  readonly room = 0;
  constructor(
    _: SlurmOptions & {
      folder: string;
      sweep: string;
      ledger: Ledger;
      options: readonly string[];
      log: (held: Held) => string;
      jobs?: number;
      threads?: number;
    },
  ) {}
  async start(_held: readonly Held[], _placed: (held: Held, place: Place) => void): Promise<void> {}
  async look(_held: readonly Held[]): Promise<readonly Standing[]> {
    return [];
  }
  async pause(): Promise<void> {}
  async stop(): Promise<void> {}
}
