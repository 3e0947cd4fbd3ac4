import type { Positioned } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { ProcessGroup } from '../tensorflow/collectives/process-group.js';
import { tf } from '../tensorflow/tf.js';
import { isOfViews, type Learned, type Loss, type ViewsLoss } from './loss/loss.js';
import type { Model, Weights } from './model/model.js';

/** The position of a batch in its epoch. */
interface EpochPosition extends Positioned {
  readonly epoch: number;
  readonly remaining: number;
}

/** Loss, gradients and counts of the batches of one update, as one batch of all their samples would have them. */
export interface AccumulatedBatches extends EpochPosition {
  /** Means over the samples of all batches, and the running statistics after the last one. Its tensors belong to this object. */
  readonly learned: Learned;
  readonly batches: number;
  readonly samples: number;
  /** Samples of all ranks; without others the same. */
  readonly shared: number;
}

/**
 * Adds one more batch: gradients and loss are weighted by their samples, (n₁g₁ + n₂g₂) / (n₁ + n₂), so that a shorter last batch
 * counts for less; correct samples are added; statistics are the newest. A first batch keeps its bits.
 *
 * Takes the tensors of both.
 *
 * @param samples this rank's samples in the batch of `learned`
 * @param shared the samples of all ranks in it
 */
export function withBatch(
  group: AccumulatedBatches | undefined,
  learned: Learned,
  { samples, shared }: Pick<AccumulatedBatches, 'samples' | 'shared'>,
  { position, epoch, remaining }: EpochPosition,
): AccumulatedBatches {
  const at = { position, epoch, remaining };
  if (group === undefined) return { ...at, learned, batches: 1, samples, shared };
  const before = group.learned;
  const all = group.samples + samples || 1; // none at all: a rank without a sample of these batches
  const mean = <T extends tf.Tensor>(old: T, added: T): T =>
    tf.tidy(() => tf.add(tf.mul(old, group.samples / all), tf.mul(added, samples / all)));
  const { statistics } = learned;
  const sum: Learned = {
    loss: mean(before.loss, learned.loss),
    correct: tf.add(before.correct, learned.correct),
    gradients: new Map(
      [...before.gradients].map(([name, old]) => [name, replaced(old, learned.gradients.get(name)!, mean)]),
    ),
    ...(statistics && { statistics }),
  };
  tf.dispose([before.loss, before.correct, learned.loss, learned.correct, ...(before.statistics?.values() ?? [])]);
  return {
    ...at,
    learned: sum,
    batches: group.batches + 1,
    samples: group.samples + samples,
    shared: group.shared + shared,
  };
}

/** One gradient at a time, so that there are never three sets of them. */
function replaced(old: tf.Tensor, added: tf.Tensor, mean: (old: tf.Tensor, added: tf.Tensor) => tf.Tensor): tf.Tensor {
  const made = mean(old, added);
  tf.dispose([old, added]);
  return made;
}

/** Disposes of its tensors. */
export function disposeAccumulated({ learned: { loss, correct, gradients, statistics } }: AccumulatedBatches): void {
  tf.dispose([loss, correct, ...gradients.values(), ...(statistics?.values() ?? [])]);
}

/**
 * @throws {WeirError} for a number of batches that is not a count, and for a loss over views: it compares the samples of one batch with
 * each other, so several small batches do not make a large one
 */
export function checkAccumulate(accumulate: number, loss: Loss | ViewsLoss): void {
  if (!Number.isInteger(accumulate) || accumulate < 1) {
    throw new WeirError(
      `stage 'train' was to make an update of ${accumulate} batches`,
      'accumulate must be a whole number from 1 on',
    );
  }
  if (accumulate === 1 || !isOfViews(loss)) return;
  throw new WeirError(
    `stage 'train' was to make an update of ${accumulate} batches, but loss '${loss.name}' compares the samples of a batch with each other: ${accumulate} small batches do not give the gradient of a large one`,
    'leave accumulate out, and make the batch as large as the loss needs it',
  );
}

/**
 * The mean over the shares of all ranks, as one process would have it from all the samples: gradients and loss weighted by samples,
 * correct samples added, running statistics averaged. The same bits on every rank.
 *
 * All numbers go through one collective, since the cost of a call beyond its bytes is then paid once. Takes the tensors of `group`.
 */
export function acrossRanks(group: AccumulatedBatches, ranks: ProcessGroup): AccumulatedBatches {
  if (ranks.ranks === 1) return group;
  const { learned, samples, shared } = group;
  const gradients = inOrder(learned.gradients);
  const statistics = inOrder(learned.statistics ?? new Map());
  const weighted = [...gradients.values(), learned.loss];
  const parts = [...weighted, learned.correct, ...statistics.values()];
  const piece = tf.tidy(() => {
    const flat = (tensors: readonly tf.Tensor[], factor: number): tf.Tensor1D =>
      tf.mul(tf.concat1d(tensors.map((tensor) => tf.reshape(tensor, [-1]) as tf.Tensor1D)), factor);
    const others = [
      flat([learned.correct], 1),
      ...(statistics.size > 0 ? [flat([...statistics.values()], 1 / ranks.ranks)] : []),
    ];
    return tf.concat1d([flat(weighted, samples / shared), ...others]);
  });
  tf.dispose(parts);
  const sum = ranks.sum(piece);
  piece.dispose();
  const pieces = tf.split(
    sum,
    parts.map(({ size }) => size),
  );
  sum.dispose();
  const joined = parts.map(({ shape }, i) => {
    const shaped = tf.reshape(pieces[i]!, shape);
    pieces[i]!.dispose();
    return shaped;
  });
  const named = (names: Iterable<string>, first: number): Map<string, tf.Tensor> =>
    new Map(Array.from(names, (name, i) => [name, joined[first + i]!]));
  const count = gradients.size;
  return {
    ...group,
    samples: shared,
    learned: {
      loss: joined[count] as tf.Scalar,
      correct: joined[count + 1] as tf.Scalar,
      gradients: named(gradients.keys(), 0),
      ...(learned.statistics && { statistics: named(statistics.keys(), count + 2) }),
    },
  };
}

/** Tensors in the order of their names: the same on every rank. */
const inOrder = (tensors: Weights): Weights => new Map([...tensors].sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * The contribution of a rank without a sample of a short last batch: zeros.
 *
 * @throws {WeirError} where batch normalizations over all ranks need a sample of each
 */
export function nothingLearned(
  model: Model,
  weights: Weights,
  { rank, synchronized }: ProcessGroup,
): AccumulatedBatches['learned'] {
  const statistics = new Set(model.statistics);
  if (synchronized && statistics.size > 0) {
    throw new WeirError(
      `rank ${rank} has no sample of the last batch of an epoch, which batch normalizations over all ranks need`,
      "leave that batch out: batch(size, { partial: 'drop' })",
    );
  }
  const ofKind = (running: boolean): [string, tf.Tensor][] =>
    [...weights].filter(([name]) => statistics.has(name) === running);
  return {
    loss: tf.scalar(0),
    correct: tf.scalar(0),
    gradients: new Map(ofKind(false).map(([name, weight]) => [name, tf.zerosLike(weight)])),
    ...(statistics.size > 0 && { statistics: new Map(ofKind(true).map(([name, weight]) => [name, weight.clone()])) }),
  };
}
