import type { Random } from './random.js';

/** A reader, real input for it, and how to call it. */
export interface Target {
  readonly name: string;
  readonly originals: readonly Uint8Array[];
  /** Makes checksums right again after a change, so that what lies behind them is met too. */
  readonly mend?: (bytes: Buffer) => void;
  /** Other input than a mutated original. */
  readonly make?: (random: Random) => Uint8Array;
  /** Reads all that the file holds; throws where it refuses it. */
  readonly read: (file: string, bytes: Uint8Array) => unknown;
}
