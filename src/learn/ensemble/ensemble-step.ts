import { tf } from '../../tensorflow/device-tf.js';
import { hasFused } from '../../tensorflow/ops/fused.js';
import type { Layout } from './layout.js';
import { type EnsembleInput, type EnsembleOutput, fusedEnsemble } from './native-ensemble.js';
import { portableUpdate } from './portable.js';

/**
 * One update of every member: loss, gradient, penalty, SGD. One native operation, or the same on the main thread.
 *
 * The tensors it is given stay; those it returns are new.
 */
export function ensembleUpdate(layout: Layout, given: EnsembleInput<tf.Tensor>): EnsembleOutput<tf.Tensor> {
  if (hasFused()) return fusedEnsemble(layout.sizes, given);
  const { members, velocity, sums } = portableUpdate(layout, {
    ...given,
    members: given.members.dataSync<'float32'>(),
    velocity: given.velocity.dataSync<'float32'>(),
    sums: given.sums.dataSync<'float32'>(),
  });
  return {
    members: tf.tensor(members, given.members.shape),
    velocity: tf.tensor(velocity, given.velocity.shape),
    sums: tf.tensor(sums, given.sums.shape),
  };
}
