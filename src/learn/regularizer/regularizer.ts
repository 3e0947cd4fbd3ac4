import type { Data } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkNumbers, checkOptions, suggestion } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import { linearizationOf } from '../model/autodiff.js';
import type { FeatureJacobian, Gradients, Model, Weights } from '../model/model.js';

/** A batch and the weights of the network, which a regularizer only reads. */
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
 * It is a function of the weights alone, of the features of the batch (their gradient goes back through the network together with
 * the loss's), or of the network's derivatives at the batch.
 *
 * It only reads what it is given; tensors that it makes it disposes of, or hands over. The training step names the regularizer where it leaves
 * a gradient of another shape or a tensor behind. `regularizerTests` of `weir-engine/testing` holds one of your own to the rules.
 *
 * @example
 * const small = (model: Model, gamma: number): Regularizer => {
 *   const { kernel } = model.readout;
 *   return {
 *     kind: 'small readout', // γ/2 · ‖W‖², whose gradient is γW
 *     active: since('small readout', { gamma }),
 *     value: ({ weights }) => tf.tidy(() => tf.sum(tf.square(weights.get(kernel)!)).dataSync()[0]! * (gamma / 2)),
 *     addGradients({ weights }, gradients) {
 *       addGradient(gradients, kernel, tf.mul(weights.get(kernel)!, gamma));
 *     },
 *   };
 * };
 */
export interface Regularizer {
  readonly kind: string;
  /** The samples that every batch needs at least, where more than one. */
  readonly leastSamples?: number;
  /** Whether it acts at the updates of this epoch, counted from 1. */
  active(epoch: number): boolean;
  /** Its gradient with respect to the features, [n, width]; the tensor belongs to the caller. */
  featuresGradient?(features: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor2D;
  /** Adds the gradient of a term on the weights alone, once an update. Disposes of the gradients it replaces. */
  addGradients?(input: Pick<RegularizerInput, 'weights'>, gradients: Gradients): void;
  /** Adds the gradient of a mean over samples, once a batch: an update may have several. */
  addSampleGradients?(input: RegularizerInput, gradients: Gradients): void;
  /** The term itself, strength included, read from the device. */
  value(input: RegularizerInput & { readonly features: tf.Tensor2D }): number;
  /** Its state as plain data, where it has one. */
  save?(): Data;
  load?(data: Data): void;
}

/** The strength of a regularizer, and its burn-in. */
export interface Strength {
  /** γ; each kind says which term it multiplies. */
  readonly gamma: number;
  /** It acts after this many epochs (burn-in): at every update of epoch `from.epoch` + 1 and later. */
  readonly from?: { readonly epoch: number };
}

/**
 * Whether a regularizer of that strength acts in an epoch.
 *
 * @throws {WeirError} unless γ is a finite number from 0 on, and the burn-in a whole number of epochs
 * @example const active = since('orthogonal', { gamma: 0.01, from: { epoch: 160 } }); // active(160) is false, active(161) is true
 */
export function since(kind: string, { gamma, from = { epoch: 0 } }: Strength): (epoch: number) => boolean {
  const where = `regularizer '${kind}'`;
  checkNumbers(where, { gamma });
  checkOptions(`from of ${where}`, from, { epoch: 'required' });
  checkNumbers(`from of ${where}`, { epoch: from.epoch }, { whole: true });
  return (epoch) => gamma > 0 && epoch > from.epoch;
}

/** @throws {WeirError} for an object that lacks a part which every regularizer has, by the part's name */
export function checkRegularizer(regularizer: Regularizer): void {
  const { kind, active, value } = regularizer as { readonly [part in keyof Regularizer]: unknown };
  const lacking =
    typeof kind !== 'string'
      ? 'kind'
      : Object.entries({ active, value }).find(([, part]) => typeof part !== 'function')?.[0];
  if (lacking === undefined) return;
  throw new WeirError(
    `the regularizer${typeof kind === 'string' ? ` '${kind}'` : ''} has no '${lacking}'`,
    'give kind, active(epoch), value(input) and its gradient: addGradients, addSampleGradients or featuresGradient',
  );
}

/** A regularizer that leaves tensors behind so many times in a row does not fill a cache. */
const LEAKS = 10;

/**
 * Watches what one function of a regularizer leaves: the weights as they were, a gradient of each one's shape, and not more tensors at each of
 * ten calls.
 *
 * @returns calls the function, and then checks. @throws {WeirError} that names the regularizer, and the weight
 */
export function watched(regularizer: Regularizer): (weights: Weights, gradients: Gradients, add: () => void) => void {
  let leaks = 0;
  return (weights, gradients, add) => {
    const before = tf.memory().numTensors;
    add();
    checkAdded(regularizer, weights, gradients);
    const left = tf.memory().numTensors - before;
    leaks = left > 0 ? leaks + 1 : 0;
    if (leaks < LEAKS) return;
    throw new WeirError(
      `regularizer '${regularizer.kind}' has left tensors behind ${LEAKS} times in a row, ${left} at the last`,
      'compute what it adds in tf.tidy, or dispose of what it makes on the way',
    );
  };
}

function checkAdded({ kind }: Regularizer, weights: Weights, gradients: Gradients): void {
  const disposed = [...weights].find(([, weight]) => weight.isDisposed)?.[0];
  if (disposed !== undefined) {
    throw new WeirError(
      `regularizer '${kind}' disposed of the weight '${disposed}', which it may only read`,
      'give addGradient a tensor of your own, for it disposes of it: tf.clone(weight) in the place of a weight',
    );
  }
  for (const [name, gradient] of gradients) {
    const shape = weights.get(name)?.shape;
    if (!gradient.isDisposed && `${gradient.shape}` === `${shape}`) continue;
    const left = gradient.isDisposed ? 'disposed of' : `of shape [${gradient.shape.join(', ')}]`;
    const needed = shape === undefined ? 'which is no weight' : `whose weight is [${shape.join(', ')}]`;
    throw new WeirError(
      `regularizer '${kind}' left the gradient of '${name}' ${left}, ${needed}`,
      'let it add a tensor of the weight’s shape: addGradient(gradients, name, added)',
    );
  }
}

/**
 * Adds a gradient to the one of that weight, and disposes of both summands.
 *
 * @throws {WeirError} for a name that is no trained weight
 * @example addGradient(gradients, model.readout.kernel, tf.mul(weights.get(model.readout.kernel)!, 0.01))
 */
export function addGradient(gradients: Gradients, name: string, added: tf.Tensor): void {
  const old = gradients.get(name);
  if (old === undefined) {
    const names = [...gradients.keys()];
    throw new WeirError(
      `a gradient was added to '${name}', which is no trained weight`,
      suggestion(name, names, `the trained weights are ${names.join(', ')}`),
    );
  }
  gradients.set(name, tf.add(old, added));
  tf.dispose([old, added]);
}

/** The same for several by name. */
export function addGradients(gradients: Gradients, added: Gradients): void {
  for (const [name, gradient] of added) addGradient(gradients, name, gradient);
}

/** The model's linearization of Φ at a batch, with gradients. @throws {WeirError} for a model without one */
export function linearized(kind: string, model: Model): NonNullable<FeatureJacobian['at']> {
  const at = linearizationOf(model);
  if (at !== undefined) return at;
  throw new WeirError(
    `regularizer '${kind}' needs gradients of the Jacobian of the feature map, which ${model.name} does not give`,
    'take an MLP or a model of layers, or another regularizer such as rep-spectral',
  );
}
