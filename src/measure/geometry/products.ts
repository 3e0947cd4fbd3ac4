import { WeirError } from '../../flow/errors.js';
import type { FeatureJacobian, Linearization, Model, Weights } from '../../learn/model/model-model.js';
import type { tf } from '../../tensorflow/device-tf.js';

/** Products with ∇Φ at the samples of one batch; `dispose` gives back what was kept for them. */
export type Products = Pick<Linearization, 'forward' | 'backward' | 'dispose'>;

/** How the model multiplies with ∇Φ. @throws {WeirError} where it cannot; the stage is named */
export function productsOf(stage: string, model: Model): (weights: Weights, x: tf.Tensor) => Products {
  const { jacobian } = model;
  if (jacobian === undefined) {
    throw new WeirError(
      `stage '${stage}' needs the Jacobian of the feature map, which ${model.name} does not give`,
      'take a model of weir, or give yours a `jacobian` with products in both directions',
    );
  }
  return jacobian.at ?? ((weights, x) => plain(jacobian, weights, x));
}

const plain = (jacobian: FeatureJacobian, weights: Weights, x: tf.Tensor): Products => ({
  forward: (p) => jacobian.forward(weights, x, p),
  backward: (q) => jacobian.backward(weights, x, q),
  dispose: () => undefined,
});
