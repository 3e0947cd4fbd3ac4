import type { Positioned } from '../flow/item.js';
import type { Weights } from './model/model-model.js';

/**
 * What the training step says after an update. The weights are those of this update until everything that claimed them is
 * through; numbers stay on the device until someone calls for them, and can be called for as long as the weights are there.
 */
export interface Update extends Positioned {
  /** Updates so far. */
  readonly number: number;
  /** Counted from 1. */
  readonly epoch: number;
  readonly endsEpoch: boolean;
  /** Updates of every epoch, where it is known. */
  readonly updatesInEpoch?: number;
  /** The learning rate that it was made with, of weights that have none of their own; none at update 0, which nothing made. */
  readonly rate?: number;
  /** The kind of the term that is added to the loss, 'none' where there is none: of update 0 and the last of each epoch. */
  readonly regularizer?: string;
  /** Only to be read. */
  readonly weights: Weights;
  /** Mean loss of this update's batch before the update, without the penalty; of labels in nats. */
  loss(): number;
  /** Mean loss over this epoch's samples so far, each as its batch met it; null at update 0, before any. */
  epochLoss(): number | null;
  /**
   * Part of this epoch's samples so far that were classified correctly, or whose views were matched, each as its batch met it;
   * null where the loss counts none, and at update 0.
   */
  epochAccuracy(): number | null;
}
