import type { Positioned } from './data.js';
import { StaleClaim } from './errors.js';

/** Work on one update's weights; every `next` is one slice, between two of which the run may breathe, snapshot or stop. */
export type Work = Iterator<unknown>;

/** Where an item carries its turn. A spread (`{ ...update, more }`) keeps it. */
export const turnOf: unique symbol = Symbol('turn');

export interface WithTurn {
  readonly [turnOf]?: Turn;
}

/**
 * The time in which the weights stand still after one update.
 *
 * Stages claim it when they receive the update, and their work is done one after another, in the order of the claims;
 * the next update starts when all of it is done.
 */
export class Turn {
  private readonly works: Work[] = [];
  private readonly atLast: (() => void)[] = [];
  private readonly after: (() => void)[] = [];
  private open = true;

  constructor(
    readonly position: number,
    /** Of a restored update that is handed out once more: who had handled it lets it pass. */
    readonly again = false,
  ) {}

  /** Whether the weights still stand. */
  get stands(): boolean {
    return this.open;
  }

  /** Adds work to this turn. @throws {StaleClaim} when the weights have moved on. */
  claim(stage: string, work: Work): void {
    if (!this.open) throw new StaleClaim(stage, this.position);
    this.works.push(work);
  }

  /** Calls back if this proves to be the last turn, while its weights still stand. */
  whenLast(call: () => void): void {
    if (this.open) this.atLast.push(call);
  }

  /** The last turn: tells those who wait for it. */
  end(): void {
    for (const call of this.atLast.splice(0)) call();
  }

  /** Calls back when the weights move on, or the flow ends: for what was made of them and goes with them. */
  whenOver(call: () => void): void {
    if (this.open) this.after.push(call);
    else call();
  }

  /** The work to do next, or nothing. */
  take(): Work | undefined {
    return this.works.shift();
  }

  close(): void {
    this.open = false;
    for (const call of this.after.splice(0)) call();
  }
}

/** The turn that an item came in, where a serial stage is upstream. */
export function turn(item: Positioned & WithTurn): Turn | undefined {
  return item?.[turnOf];
}
