/**
 * The part of every batch that a process takes where several train one network together. Of the samples of an epoch, in the order of the
 * loader, rank r of n takes those at r, r + n, r + 2n, …  So any number of ranks that divides a batch meets the same batches, and each
 * takes as much of every one.
 */
export interface Share {
  readonly rank: number;
  readonly ranks: number;
}

/** The share of a process that trains alone. */
export const everything: Share = { rank: 0, ranks: 1 };

/** How many of the first `count` samples of an epoch are this rank's. */
export const ownCount = ({ rank, ranks }: Share, count: number): number =>
  Math.max(0, Math.ceil((count - rank) / ranks));

/** The index in the epoch of this rank's k-th sample, from 0 on. */
export const ownIndex = ({ rank, ranks }: Share, k: number): number => k * ranks + rank;

let wiring = everything;

/** Wires a graph whose loaders hand out this share of every batch. */
export function withShare<T>(share: Share, wire: () => T): T {
  const before = wiring;
  wiring = share;
  try {
    return wire();
  } finally {
    wiring = before;
  }
}

/** The share of the graph that is being wired; all of every batch outside of `withShare`. */
export const currentShare = (): Share => wiring;
