import type { Positioned } from './data.js';
import { StaleClaim } from './errors.js';

/** Work on one update's weights; every `next` is one slice, between two of which the run may breathe, snapshot or stop. */
export type Work = Iterator<unknown>;

/** The key under which an item carries its lease. A spread (`{ ...update, more }`) keeps it. */
export const leaseKey: unique symbol = Symbol('lease');

export interface WithLease {
  readonly [leaseKey]?: Lease;
}

/**
 * The weights of one update, standing still.
 *
 * A stage claims the lease when it receives the update. The claimed work is done in the order of the claims, and the next update starts
 * when all of it is done.
 */
export class Lease {
  private readonly works: Work[] = [];
  private readonly lastCalls: (() => void)[] = [];
  private readonly closeCalls: (() => void)[] = [];
  private isOpen = true;

  constructor(
    readonly position: number,
    /** Of a restored update that is handed out once more: a stage that had handled it lets it pass. */
    readonly again = false,
  ) {}

  /** Whether the weights are still those of this update. */
  get open(): boolean {
    return this.isOpen;
  }

  /** Adds work on these weights. @throws {StaleClaim} when training has gone on to a later update. */
  claim(stage: string, work: Work): void {
    if (!this.isOpen) throw new StaleClaim(stage, this.position);
    this.works.push(work);
  }

  /** The claimed work to do next, or nothing. */
  take(): Work | undefined {
    return this.works.shift();
  }

  /** `call` is called if this update proves to be the last, while its weights still stand. */
  onLast(call: () => void): void {
    if (this.isOpen) this.lastCalls.push(call);
  }

  /** Makes the calls that `onLast` was given: no further update will come. */
  announceLast(): void {
    for (const call of this.lastCalls.splice(0)) call();
  }

  /** `call` is called when training goes on or the flow ends: there, what was made of these weights is disposed of. */
  onClose(call: () => void): void {
    if (this.isOpen) this.closeCalls.push(call);
    else call();
  }

  close(): void {
    this.isOpen = false;
    for (const call of this.closeCalls.splice(0)) call();
  }
}

/** The lease of the update that an item was made of, where a serial stage is upstream. */
export function leaseOf(item: Positioned & WithLease): Lease | undefined {
  return item?.[leaseKey];
}
