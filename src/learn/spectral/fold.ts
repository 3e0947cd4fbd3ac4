import { tf } from '../../tensorflow/device-tf.js';
import type { ConvLayer } from '../model/layer.js';
import { type Gradients, type Weights, weight } from '../model/model-model.js';

/**
 * A convolution's kernel with the batch normalization behind it: column o times c_o = scale_o/√(variance_o + ε), as it works in
 * evaluation mode. The authors' code leaves it out, and so do we unless asked: then σ is that of the kernel alone, and the network's
 * Lipschitz constant also depends on the scales. The variance is held constant.
 */
export interface Folding {
  /** The kernel whose σ is meant; inside a scope or `tf.tidy`. */
  kernel(weights: Weights): tf.Tensor4D;
  /** c, [out]; undefined where nothing is folded. */
  factors(weights: Weights): tf.Tensor1D | undefined;
  /**
   * Adds ∂/∂scale of strength/2 · Σ_ro (m_ro c_o)², m of [rank, out]: what the layer makes of its direction without c. Takes the
   * gradient it replaces.
   */
  addGradients(weights: Weights, images: () => tf.Tensor2D, strength: number, gradients: Gradients): void;
}

export function folding(layer: ConvLayer, fold: boolean): Folding {
  const { normalization } = layer;
  const factors: Folding['factors'] = (weights) => {
    if (!fold || normalization === undefined) return undefined;
    return tf.tidy(() => tf.div(weight(weights, normalization.scale), deviation(weights)) as tf.Tensor1D);
  };
  const deviation = (weights: Weights): tf.Tensor =>
    tf.sqrt(tf.add(weight(weights, normalization!.variance), normalization!.epsilon));
  return {
    factors,
    kernel(weights) {
      const kernel = weight<tf.Tensor4D>(weights, layer.kernel);
      const c = factors(weights);
      return c === undefined ? kernel : (tf.mul(kernel, c) as tf.Tensor4D);
    },
    addGradients(weights, images, strength, gradients) {
      if (!fold || normalization === undefined) return;
      const old = gradients.get(normalization.scale);
      if (old === undefined) return;
      const sum = tf.tidy(() => {
        const own = tf.mul(tf.sum(tf.square(images()), 0), tf.mul(factors(weights)!, strength));
        return tf.add(old, tf.div(own, deviation(weights)));
      });
      gradients.set(normalization.scale, sum);
      old.dispose();
    },
  };
}
