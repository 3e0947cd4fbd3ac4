import { WeirError } from '../flow/errors.js';
import type { ProcessGroup } from '../tensorflow/collectives/ranks.js';
import { tf } from '../tensorflow/device-tf.js';
import type { Group } from './learn-accumulate.js';
import type { Model, Weights } from './model/model-model.js';

/**
 * What all ranks learned from their shares of one update, as one process would have learned it from all the samples: gradients and
 * loss weighted by samples, correct samples added, running statistics averaged. The same bits on every rank.
 *
 * All numbers travel in one piece, since what a collective costs beyond its bytes is paid once a call. Takes the group's tensors.
 */
export function acrossRanks(group: Group, ranks: ProcessGroup): Group {
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
export function nothingLearned(model: Model, weights: Weights, { rank, synchronized }: ProcessGroup): Group['learned'] {
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
