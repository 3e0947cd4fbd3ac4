/**
 * What every item of a stream carries: how many samples its source had drawn when it came, its own included.
 *
 * Credits, snapshots and resumption all count in positions, so an operator in between keeps the field and may change all else.
 */
export interface Positioned {
  readonly position: number;
}
