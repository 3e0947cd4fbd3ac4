import { affine } from '../../learn/model/activation.js';
import { featurePullOf } from '../../learn/model/autodiff.js';
import { biasOf, type Model, type Weights, weight } from '../../learn/model/model.js';
import { tf } from '../../tensorflow/tf.js';
import { productsOf } from '../geometry/jacobian.js';

/** Logits [n, classes] of n inputs, and of each the gradient of a loss with respect to it, [n, d]. */
export interface InputGradients {
  readonly logits: Float32Array;
  readonly gradients: Float32Array;
}

/** ∂loss/∂logits of some rows, from their logits; the first of them is row `first` of the batch. */
export type LogitGradients = (logits: Float32Array, first: number) => Float32Array;

/**
 * Gradients with respect to the input: one forward and one backward pass over the batch, where the model has the two together; else a
 * forward pass and a product with its Jacobian, which makes another one.
 *
 * @throws {WeirError} for a model without a Jacobian; the stage is named
 */
export function inputGradients(
  stage: string,
  model: Model,
): (weights: Weights, rows: Float32Array, n: number, loss: LogitGradients) => InputGradients {
  const { readout, classes, inputShape } = model;
  const { factor = 1 } = readout;
  const pull = featurePullOf(model);
  const productsAt = pull === undefined ? productsOf(stage, model) : undefined;

  return (weights, rows, n, loss) => {
    const logits = new Float32Array(n * classes);
    const kernel = weight<tf.Tensor2D>(weights, readout.kernel);
    const bias = weights.get(biasOf(readout)) as tf.Tensor1D | undefined;
    /** The cotangent of the features of some rows. */
    const cotangent = (values: Float32Array, first: number): tf.Tensor2D => {
      logits.set(values, first * classes);
      const q = loss(values, first).map((value) => value * factor);
      return tf.matMul(tf.tensor2d(q, [q.length / classes, classes]), kernel, false, true);
    };
    const product = tf.tidy(() => {
      const x = tf.tensor(rows, [n, ...inputShape]);
      if (pull !== undefined) {
        const readOut = (features: tf.Tensor2D): tf.Tensor2D => {
          const z: tf.Tensor2D = tf.matMul(features, kernel);
          return bias === undefined ? tf.mul(z, factor) : affine(z, bias, factor);
        };
        return pull(weights, x, (features, first) => cotangent(readOut(features).dataSync<'float32'>(), first))[1];
      }
      const products = productsAt!(weights, x);
      const found = products.backward(cotangent(model.logits(weights, x).dataSync<'float32'>(), 0));
      products.dispose();
      return found;
    });
    const gradients = product.dataSync<'float32'>(); // not inside: `tidy` looks at every number of what it returns
    product.dispose();
    return { logits, gradients };
  };
}
