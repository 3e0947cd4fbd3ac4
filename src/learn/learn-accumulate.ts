import { WeirError } from '../flow/errors.js';
import type { Positioned } from '../flow/item.js';
import { tf } from '../tensorflow/device-tf.js';
import type { Learned } from './loss/learned.js';
import type { Loss } from './loss/loss-loss.js';
import { isOfViews, type ViewsLoss } from './loss/views-loss.js';

/** Where a batch is in its epoch. */
interface Place extends Positioned {
  readonly epoch: number;
  readonly remaining: number;
}

/** What the batches of one update gave together: what one batch of all their samples would have given. */
export interface Group extends Place {
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
export function joined(
  group: Group | undefined,
  learned: Learned,
  { samples, shared }: Pick<Group, 'samples' | 'shared'>,
  { position, epoch, remaining }: Place,
): Group {
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
export function disposeGroup({ learned: { loss, correct, gradients, statistics } }: Group): void {
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
