import type { Share } from '../../flow/share.js';
import type { tf } from '../device-tf.js';

/**
 * The processes that train one network together, each on its share of every batch. All of them run the same graph and make the same
 * calls here in the same order.
 */
export interface ProcessGroup extends Share {
  /** Whether batch normalizations are over the shares of all ranks, rather than each rank's by itself. */
  readonly synchronized: boolean;
  /** The sum over all ranks, float32 [n]; the same bits on each. The caller owns it. @throws {LostRank} */
  sum(x: tf.Tensor1D): tf.Tensor1D;
  /** What each rank gave, float32 [ranks, n]: all give as many numbers. The caller owns it. @throws {LostRank} */
  collect(x: tf.Tensor1D): tf.Tensor2D;
  /** The same of bytes, of any number each. @throws {LostRank} */
  gather(bytes: Uint8Array): Uint8Array[];
  /** Milliseconds inside these calls so far, waiting for others included. */
  readonly spent: number;
  /** Called with the number of each call before it waits for the others: so it is known which rank they all wait for. */
  onCall?: (calls: number) => void;
}
