import { WeirError } from '../../core/errors.js';
import type { Ranks } from '../device/cluster/ranks.js';
import { tf } from '../device/tf.js';
import type { ViewsLoss, ViewsLossValue } from './views-loss.js';

/**
 * A loss over views of the samples of all ranks, which compares each with every other: the projections are brought together, each rank
 * works out the whole loss and takes the gradient of its own rows.
 *
 * The gradient is times the number of ranks, for across-ranks.ts takes the mean over them as of losses over own samples alone.
 *
 * @param projections float32 [views · n, width] of this rank's n samples
 * @throws {WeirError} where the ranks do not share the batch evenly
 */
export function lossOverRanks(loss: ViewsLoss, projections: tf.Tensor2D, ranks: Ranks): ViewsLossValue {
  if (ranks.ranks === 1) return loss.of(projections);
  const { views } = loss;
  const [rows, width] = projections.shape;
  const counts = ranks.gather(Uint8Array.from(new Uint8Array(Int32Array.of(rows).buffer)));
  if (counts.some((count) => !Buffer.from(count).equals(Buffer.from(counts[0]!)))) throw uneven(loss.name);
  const own = rows / views;

  return tf.tidy(() => {
    const shaped = tf.reshape(projections, [views, 1, own, width]);
    const none = tf.zerosLike(shaped);
    const places = Array.from({ length: ranks.ranks }, (_, rank) => (rank === ranks.rank ? shaped : none));
    const all = ranks.sum(tf.reshape(tf.concat(places, 1), [-1]) as tf.Tensor1D);
    const { value, gradient, correct } = loss.of(tf.reshape(all, [views * ranks.ranks * own, width]));
    const byRank = tf.reshape(gradient, [views, ranks.ranks, own, width]);
    const mine = tf.slice(byRank, [0, ranks.rank, 0, 0], [views, 1, own, width]);
    const given = { value, gradient: tf.mul(tf.reshape(mine, [rows, width]), ranks.ranks) };
    // what is counted over all samples is on every rank, and will be added up
    return { ...given, ...(correct && { correct: tf.div(correct, ranks.ranks) }) } as Record<string, tf.Tensor>;
  }) as unknown as ViewsLossValue;
}

const uneven = (loss: string): WeirError =>
  new WeirError(
    `loss '${loss}' compares the samples of all ranks, which do not have as many each in the last batch of an epoch`,
    "leave that one out: batch(size, { partial: 'drop' })",
  );
