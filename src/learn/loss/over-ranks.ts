import { WeirError } from '../../flow/errors.js';
import type { ProcessGroup } from '../../tensorflow/collectives/ranks.js';
import { tf } from '../../tensorflow/device-tf.js';
import type { ViewsLoss, ViewsLossValue } from './views-loss.js';

/**
 * A loss over views of the samples of all ranks, which compares each with every other: the projections are brought together, each rank
 * works out the whole loss and takes the gradient of its own rows.
 *
 * The gradient is times the number of ranks, for across-ranks.ts takes the mean over them as of losses over own samples alone.
 *
 * @param projections float32 [views · n, width] of this rank's n samples; the other ranks have as many (`checkEven`)
 */
export function lossOverRanks(loss: ViewsLoss, projections: tf.Tensor2D, ranks: ProcessGroup): ViewsLossValue {
  if (ranks.ranks === 1) return loss.of(projections);
  const { views } = loss;
  const [rows, width] = projections.shape;
  const own = rows / views;

  return tf.tidy(() => {
    const all = tf.reshape(ranks.collect(tf.reshape(projections, [-1])), [ranks.ranks, views, own, width]);
    const byView = tf.transpose(all, [1, 0, 2, 3]);
    const { value, gradient, correct } = loss.of(tf.reshape(byView, [views * ranks.ranks * own, width]));
    const byRank = tf.reshape(gradient, [views, ranks.ranks, own, width]);
    const mine = tf.slice(byRank, [0, ranks.rank, 0, 0], [views, 1, own, width]);
    const given = { value, gradient: tf.mul(tf.reshape(mine, [rows, width]), ranks.ranks) };
    // what is counted over all samples is on every rank, and will be added up
    return { ...given, ...(correct && { correct: tf.div(correct, ranks.ranks) }) } as Record<string, tf.Tensor>;
  }) as unknown as ViewsLossValue;
}

/**
 * All ranks find the same, before one waits for the others.
 *
 * @param shared samples of all ranks in a batch
 * @throws {WeirError} where the ranks do not share it evenly
 */
export function checkEven(loss: ViewsLoss, shared: number, { ranks }: Pick<ProcessGroup, 'ranks'>): void {
  if (shared % ranks === 0) return;
  throw new WeirError(
    `loss '${loss.name}' compares the samples of all ranks, which do not have as many each in the last batch of an epoch`,
    "leave that one out: batch(size, { partial: 'drop' })",
  );
}
