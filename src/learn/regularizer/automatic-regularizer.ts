import { WeirError } from '../../flow/errors.js';
import { checkCounts, checkOptions } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import { checkedScalar } from '../model/autodiff.js';
import type { Weights } from '../model/model.js';
import { addGradient, type Regularizer, type Strength, since } from './regularizer.js';

/** A regularizer of one's own: γ · (`ofWeights` + `ofFeatures`), of which it has one or both. */
export interface OwnRegularizer extends Strength {
  /** What page, report, exports and errors call it, such as 'orthogonal'. */
  readonly kind: string;
  /** The samples that every batch needs at least, where more than one. */
  readonly leastSamples?: number;
  /**
   * A term of the weights by name, float32, which stay the caller's: a scalar, float32, by operations that TensorFlow.js differentiates. Called
   * once an update.
   */
  readonly ofWeights?: (weights: Weights) => tf.Tensor;
  /**
   * A term of the features of a batch in training mode, float32 [n, width], and its labels, int32 [n], which both stay the caller's: a scalar,
   * float32, the mean over the batch. Its gradient goes back through the network with the loss's.
   */
  readonly ofFeatures?: (features: tf.Tensor2D, labels: tf.Tensor1D) => tf.Tensor;
}

/**
 * A regularizer of your own, whose gradient is TensorFlow.js's. The terms must be functions of their arguments alone, by operations of the
 * `tf` that is exported here. They run in `tf.tidy`: intermediate results are disposed of.
 *
 * At exactly 0 the gradient of `tf.abs` is −1 there, and 0 in PyTorch: write |x| as `tf.mul(x, tf.sign(x))`, which has 0.
 *
 * For a term of the network's derivatives, or a gradient by hand, write the interface `Regularizer`.
 *
 * State: none. `weir-engine/testing` has the rules for it, `regularizerTests`.
 *
 * @throws {WeirError} without a term, and for a γ that is no finite number of at least 0; at the first update, where a term does not return a
 * scalar or cannot be differentiated
 * @example
 * const small = (model: Model, strength: Strength) =>
 *   defineRegularizer({ kind: 'small', ...strength, ofWeights: (weights) => tf.sum(tf.square(weights.get(model.readout.kernel)!)) });
 */
export function defineRegularizer(own: OwnRegularizer): Regularizer {
  const { kind, gamma, from, leastSamples, ofWeights, ofFeatures } = checkOptions('defineRegularizer', own, {
    kind: 'required',
    gamma: 'required',
    from: 'optional',
    leastSamples: 'optional',
    ofWeights: 'optional',
    ofFeatures: 'optional',
  });
  if (ofWeights === undefined && ofFeatures === undefined) {
    throw new WeirError(`regularizer '${kind}' has no term`, 'give ofWeights, ofFeatures or both');
  }
  if (leastSamples !== undefined) checkCounts(`regularizer '${kind}'`, { leastSamples });
  return {
    kind,
    active: since(kind, { gamma, ...(from && { from }) }),
    ...(leastSamples !== undefined && { leastSamples }),
    ...(ofFeatures && {
      featuresGradient: (features, labels) =>
        gradientsOfTerm(kind, gamma, () => ofFeatures(features, labels), [features])[0] as tf.Tensor2D,
    }),
    ...(ofWeights && {
      addGradients({ weights }, gradients) {
        const names = [...gradients.keys()];
        const tensors = names.map((name) => weights.get(name)!);
        const found = gradientsOfTerm(kind, gamma, () => ofWeights(weights), tensors);
        for (const [i, gradient] of found.entries()) if (gradient) addGradient(gradients, names[i]!, gradient);
      },
    }),
    value: ({ weights, features, labels }) =>
      tf.tidy(() => {
        const terms = [ofWeights?.(weights), ofFeatures?.(features, labels)].filter((term) => term !== undefined);
        return gamma * terms.reduce((sum, term) => sum + checkedTerm(kind, term).dataSync()[0]!, 0);
      }),
  };
}

/** γ times the gradients of a term with respect to tensors; undefined for those that it does not depend on. */
function gradientsOfTerm(
  kind: string,
  gamma: number,
  term: () => tf.Tensor,
  of: readonly tf.Tensor[],
): (tf.Tensor | undefined)[] {
  const { value, grads } = tf
    .engine()
    .gradients(() => tf.mul(checkedTerm(kind, term()), gamma), [...of], undefined, true);
  value.dispose();
  const found = grads.map((gradient) => (gradient as tf.Tensor | null) ?? undefined);
  if (found.some((gradient) => gradient !== undefined)) return found;
  throw new WeirError(
    `regularizer '${kind}' cannot be differentiated: its term does not depend on what it is given`,
    'compute it from the weights or the features by differentiable operations of tf alone: argMax, comparisons and dataSync() have no gradient',
  );
}

const checkedTerm = (kind: string, value: unknown): tf.Scalar =>
  checkedScalar(`regularizer '${kind}'`, value, 'return a float32 scalar, such as tf.sum(…)');
