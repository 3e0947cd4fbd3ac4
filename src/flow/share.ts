/**
 * Which part of every batch a process takes where several train one network together: of the samples of an epoch, in the order
 * in which they are drawn, rank r of n takes those at r, r + n, r + 2n, …  So any number of ranks that divides a batch meets the same
 * batches, and each takes as much of every one.
 */
export interface Share {
  readonly rank: number;
  readonly ranks: number;
}

/** Of a process that trains alone. */
export const everything: Share = { rank: 0, ranks: 1 };

/** How many of the first `count` samples of an epoch are this rank's. */
export const ownOf = ({ rank, ranks }: Share, count: number): number => Math.max(0, Math.ceil((count - rank) / ranks));

/** Which sample of the epoch is this rank's k-th, from 0 on. */
export const placeOf = ({ rank, ranks }: Share, k: number): number => k * ranks + rank;
