import type { Labels } from '../../data/sample-check.js';
import { executeAll } from '../../tensorflow/ops/eager.js';
import { hasFused } from '../../tensorflow/ops/fused.js';
import { tf } from '../../tensorflow/tf.js';
import type { EnsembleLayout } from './ensemble.js';
import { allocatePass, classOf, crossEntropyOf, type ForwardPass, forward } from './network.js';

/** The inputs of one update of an ensemble, as tensors or as their values; see kernels/ensemble.cc. */
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
  /** Whether an epoch begins here. */
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
function fusedEnsemble(sizes: readonly number[], given: EnsembleInput<tf.Tensor>): EnsembleOutput<tf.Tensor> {
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

/**
 * The operation `WeirEnsemble` on the main thread in float64: its fallback, and the reference of its test. Members are updated one
 * by one, so none depends on another.
 */
export function portableUpdate(
  layout: EnsembleLayout,
  given: EnsembleInput<Float32Array>,
): EnsembleOutput<Float32Array> {
  const { parameters, layers, inputs } = layout;
  const { members, velocity, x, labels, gammas, directions, rate, momentum, decay, fresh, sums } = given;
  const count = members.length / parameters;
  const d = layout.sizes[0]!;
  const moved = new Float32Array(members.length);
  const newVelocity = new Float32Array(members.length);
  const newSums = new Float32Array(sums.length);
  const pass = allocatePass(layout);
  const gradient = new Float64Array(parameters);

  for (let m = 0; m < count; m++) {
    const row = m * parameters;
    gradient.fill(0);
    let loss = 0;
    let correct = 0;
    for (let i = 0; i < labels.length; i++) {
      const at = (i * count + m) * d;
      for (let axis = 0; axis < d; axis++) pass.inputs[0]![axis] = x[at + axis]!;
      forward(layout, members, row, pass);
      if (classOf(pass.logits) === labels[i]) correct++;
      loss += addGradient(layout, members, row, pass, labels[i]!, labels.length, gradient);
    }
    layers.forEach((layer, l) => {
      const gamma = gammas[m * layers.length + l]!;
      if (gamma === 0) return;
      const v = directions.subarray(m * inputs + layer.direction, m * inputs + layer.direction + layer.in);
      for (let o = 0; o < layer.out; o++) {
        let image = 0;
        for (let i = 0; i < layer.in; i++) image += v[i]! * members[row + layer.kernel + i * layer.out + o]!;
        for (let i = 0; i < layer.in; i++) gradient[layer.kernel + i * layer.out + o]! += gamma * v[i]! * image;
      }
    });
    for (let p = 0; p < parameters; p++) {
      newVelocity[row + p] = momentum * velocity[row + p]! + (gradient[p]! + decay * members[row + p]!);
      moved[row + p] = members[row + p]! - rate * newVelocity[row + p]!;
    }
    newSums[3 * m] = loss / labels.length;
    newSums[3 * m + 1] = (fresh ? 0 : sums[3 * m + 1]!) + loss;
    newSums[3 * m + 2] = (fresh ? 0 : sums[3 * m + 2]!) + correct;
  }
  return { members: moved, velocity: newVelocity, sums: newSums };
}

/** Adds a sample's share, 1/n, of the gradient of the mean loss. @returns the sample's loss */
function addGradient(
  { layers }: EnsembleLayout,
  rows: Float32Array,
  row: number,
  pass: ForwardPass,
  label: number,
  n: number,
  gradient: Float64Array,
): number {
  const rest = { others: 0, total: 0 };
  const loss = crossEntropyOf(pass.logits, label, rest);
  const top = Math.max(...pass.logits);
  const share = layers[layers.length - 1]!.scale / n;
  let dz = pass.logits.map((z, j) => (share * (j === label ? -rest.others : Math.exp(z - top))) / rest.total);
  for (let l = layers.length - 1; l >= 0; l--) {
    const layer = layers[l]!;
    const input = pass.inputs[l]!;
    const before = new Float64Array(layer.in);
    for (let o = 0; o < layer.out; o++) {
      gradient[layer.bias + o]! += dz[o]!;
      for (let i = 0, at = layer.kernel + o; i < layer.in; i++, at += layer.out) {
        gradient[at]! += input[i]! * dz[o]!;
        before[i]! += rows[row + at]! * dz[o]!;
      }
    }
    if (l > 0) dz = before.map((value, i) => value * pass.slopes[l - 1]![i]!);
  }
  return loss;
}

/**
 * One update of every member: loss, gradient, regularizer, SGD. One native operation, or the same on the main thread.
 *
 * The tensors it is given stay; those it returns are new.
 */
export function ensembleUpdate(layout: EnsembleLayout, given: EnsembleInput<tf.Tensor>): EnsembleOutput<tf.Tensor> {
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
