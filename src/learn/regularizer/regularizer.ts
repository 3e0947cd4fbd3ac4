import type { Data } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { tf } from '../../tensorflow/tf.js';
import type { FeatureJacobian, Gradients, Model, Weights } from '../model/model.js';

/** A batch and the weights it meets, as a regularizer sees them. It only reads. */
export interface RegularizerInput {
  readonly weights: Weights;
  /** float32 [n, ...inputShape]. */
  readonly x: tf.Tensor;
  /** int32 [n]. */
  readonly labels: tf.Tensor1D;
}

/**
 * A term that is added to the loss, as its value and its gradient.
 *
 * It works where it must: on the weights alone, on the features of the batch (their gradient goes back through the network
 * together with the loss's), or on the network's derivatives at the batch.
 */
export interface Regularizer {
  readonly kind: string;
  /** Samples that it needs in every batch, where one is not enough. */
  readonly leastSamples?: number;
  /** Is it on at the updates of this epoch (from 1)? */
  active(epoch: number): boolean;
  /** Its gradient with respect to the features, [n, width]; the tensor belongs to the caller. */
  featuresGradient?(features: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor2D;
  /** Adds its gradient with respect to weights, of a term on the weights alone: once an update. Takes the gradients it replaces. */
  addGradients?(look: Pick<RegularizerInput, 'weights'>, gradients: Gradients): void;
  /** The same of a term that is a mean over samples: once a batch, of which an update may have several. */
  addSampleGradients?(look: RegularizerInput, gradients: Gradients): void;
  /** What it adds to the loss, strength included; read from the device. */
  value(look: RegularizerInput & { readonly features: tf.Tensor2D }): number;
  /** What it carries from update to update, as plain data; none if it is a function of its arguments. */
  save?(): Data;
  load?(data: Data): void;
}

/** How strong a regularizer is, and since when. */
export interface Strength {
  /** γ; what it multiplies is said by each kind. */
  readonly gamma: number;
  /** It acts after this many epochs (burn-in): at every update of epoch `from.epoch` + 1 and later. */
  readonly from?: { readonly epoch: number };
}

/** When a regularizer of that strength is on. @throws {WeirError} where γ is no number that could be one */
export function since(kind: string, { gamma, from = { epoch: 0 } }: Strength): (epoch: number) => boolean {
  checkStrength(kind, 'gamma', gamma);
  return (epoch) => gamma > 0 && epoch > from.epoch;
}

/** @throws {WeirError} unless the value is a finite number of at least 0 */
export function checkStrength(kind: string, name: string, value: number): void {
  if (value >= 0 && Number.isFinite(value)) return;
  throw new WeirError(`regularizer '${kind}' was given ${name} = ${value}`, 'give a finite number of at least 0');
}

/** @throws {WeirError} unless the value is a whole number from 1 on */
export function checkCount(kind: string, name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new WeirError(`regularizer '${kind}' was given ${name} = ${value}`, 'give a whole number from 1 on');
}

/** Adds a gradient to those there are and disposes of both summands; where none is kept under its name, it only disposes. */
export function addGradient(gradients: Gradients, name: string, added: tf.Tensor): void {
  const old = gradients.get(name);
  if (old !== undefined) {
    gradients.set(name, tf.add(old, added));
    old.dispose();
  }
  added.dispose();
}

/** The same for several by name. */
export function addGradients(gradients: Gradients, added: Gradients): void {
  for (const [name, gradient] of added) addGradient(gradients, name, gradient);
}

/** How a model gives ∇Φ at a batch with gradients. @throws {WeirError} where it does not */
export function linearized(kind: string, model: Model): NonNullable<FeatureJacobian['at']> {
  const at = model.jacobian?.at;
  if (at !== undefined) return at;
  throw new WeirError(
    `regularizer '${kind}' needs gradients of the Jacobian of the feature map, which ${model.name} does not give`,
    'take an MLP, or another regularizer such as rep-spectral',
  );
}
