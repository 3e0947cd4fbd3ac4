import type { Labels } from '../../data/labels.js';
import { tf } from '../../tensorflow/device-tf.js';
import { executeAll } from '../../tensorflow/ops/device-eager.js';

/** What one update of an ensemble depends on, as tensors or as their values; see kernels/ensemble.cc. */
export interface EnsembleInput<T> {
  /** [E, P], a network a row. */
  readonly members: T;
  /** [E, P]. */
  readonly velocity: T;
  /** [n, E, inputs]. */
  readonly x: Float32Array;
  /** [n]. */
  readonly labels: Labels;
  /** γ by member and layer, [E, L]. */
  readonly gammas: Float32Array;
  /** v of every layer, held constant, [E, D]. */
  readonly directions: Float32Array;
  readonly rate: number;
  readonly momentum: number;
  readonly decay: number;
  /** Does an epoch begin here? */
  readonly fresh: boolean;
  /** By member: mean loss of the batch; loss and number of correct samples summed over the epoch. [E, 3] */
  readonly sums: T;
}

export interface EnsembleOutput<T> {
  readonly members: T;
  readonly velocity: T;
  readonly sums: T;
}

/** The update in one operation. Only where `hasFused()`; the tensors returned are new and belong to the caller. */
export function fusedEnsemble(sizes: readonly number[], given: EnsembleInput<tf.Tensor>): EnsembleOutput<tf.Tensor> {
  const { members, velocity, x, labels, gammas, directions, rate, momentum, decay, fresh, sums } = given;
  const made = [
    tf.tensor1d([...sizes], 'int32'),
    tf.tensor1d(x),
    tf.tensor1d(Int32Array.from(labels), 'int32'),
    tf.tensor1d(gammas),
    tf.tensor1d(directions),
    tf.tensor1d(Float32Array.of(rate, momentum, decay, fresh ? 1 : 0)),
  ];
  const [widths, points, classes, strengths, vectors, settings] = made as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const inputs = [widths, members, velocity, points, classes, strengths, vectors, settings, sums];
  const [moved, newVelocity, newSums] = executeAll('WeirEnsemble', [], inputs, 3);
  for (const tensor of made) tensor.dispose();
  return { members: moved!, velocity: newVelocity!, sums: newSums! };
}
