import type { Positioned } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { ProcessGroup } from '../tensorflow/collectives/process-group.js';
import { tf } from '../tensorflow/tf.js';
import { isOfViews, type Learned, type Loss, type ViewsLoss } from './loss/loss.js';
import type { Model, Weights } from './model/model.js';

/** Where a batch is in its epoch. */
interface EpochPosition extends Positioned {
  readonly epoch: number;
  readonly remaining: number;
}

/** What the batches of one update gave together: what one batch of all their samples would have given. */
export interface AccumulatedBatches extends EpochPosition {
  /** Means over the samples of all batches, and the running statistics after the last one; the tensors belong to the group. */
  readonly learned: Learned;
  readonly batches: number;
  readonly samples: number;
  /** Samples of all ranks; without others the same. */
  readonly shared: number;
}

/**
 * The group with one more batch: gradients and loss weighted by their samples, (n₁g₁ + n₂g₂) / (n₁ + n₂), so that a shorter last
 * batch counts for less; correct samples added; the newest statistics. A first batch is taken as it is, to the bit.
 *
 * Takes the tensors of both.
 *
 * @param samples of the batch that `learned` is of, which ends at `place`
 * @param shared those of all ranks in it
 */
export function withBatch(
  group: AccumulatedBatches | undefined,
  learned: Learned,
  { samples, shared }: Pick<AccumulatedBatches, 'samples' | 'shared'>,
  { position, epoch, remaining }: EpochPosition,
): AccumulatedBatches {
  const place = { position, epoch, remaining };
  if (group === undefined) return { ...place, learned, batches: 1, samples, shared };
  const before = group.learned;
  const all = group.samples + samples || 1; // none at all: a rank without a sample of these batches
  const mean = <T extends tf.Tensor>(old: T, added: T): T =>
    tf.tidy(() => tf.add(tf.mul(old, group.samples / all), tf.mul(added, samples / all)));
  const { statistics } = learned;
  const together: Learned = {
    loss: mean(before.loss, learned.loss),
    correct: tf.add(before.correct, learned.correct),
    gradients: new Map(
      [...before.gradients].map(([name, old]) => [name, replaced(old, learned.gradients.get(name)!, mean)]),
    ),
    ...(statistics && { statistics }),
  };
  tf.dispose([before.loss, before.correct, learned.loss, learned.correct, ...(before.statistics?.values() ?? [])]);
  return {
    ...place,
    learned: together,
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

/** Gives the group's tensors back. */
export function disposeAccumulated({ learned: { loss, correct, gradients, statistics } }: AccumulatedBatches): void {
  tf.dispose([loss, correct, ...gradients.values(), ...(statistics?.values() ?? [])]);
}

/**
 * @throws {WeirError} for a number of batches that is none, and where batches of an update would not be one large batch: a loss over
 * views compares the samples of a batch with each other, and those of different batches never meet
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
 * What all ranks learned from their shares of one update, as one process would have learned it from all the samples: gradients and
 * loss weighted by samples, correct samples added, running statistics averaged. The same bits on every rank.
 *
 * All numbers travel in one piece, since what a collective costs beyond its bytes is paid once a call. Takes the group's tensors.
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

/** By name: the same order on every rank, whatever way its gradients came about. */
const inOrder = (tensors: Weights): Weights => new Map([...tensors].sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * What a rank brings that has not one sample of a short last batch.
 *
 * @throws {WeirError} where batch normalizations would wait for it
 */
export function nothingLearned(
  model: Model,
  weights: Weights,
  { rank, synchronized }: ProcessGroup,
): AccumulatedBatches['learned'] {
  const kept = new Set(model.statistics);
  if (synchronized && kept.size > 0) {
    throw new WeirError(
      `rank ${rank} has no sample of the last batch of an epoch, which batch normalizations over all ranks need`,
      "leave that batch out: batch(size, { partial: 'drop' })",
    );
  }
  const ofKind = (statistics: boolean): [string, tf.Tensor][] =>
    [...weights].filter(([name]) => kept.has(name) === statistics);
  return {
    loss: tf.scalar(0),
    correct: tf.scalar(0),
    gradients: new Map(ofKind(false).map(([name, weight]) => [name, tf.zerosLike(weight)])),
    ...(kept.size > 0 && { statistics: new Map(ofKind(true).map(([name, weight]) => [name, weight.clone()])) }),
  };
}
