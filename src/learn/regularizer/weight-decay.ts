import { tf } from '../../tensorflow/tf.js';
import { type Model, weight } from '../model/model.js';
import { addGradient, type Regularizer, type Strength, since } from './regularizer.js';

const KIND = 'weight-decay';

/**
 * Weight decay as a regularizer: γ/2 · Σ ‖W_l‖_F² over the kernels of all layers, the readout included. Its gradient is γ W_l.
 *
 * It is the control for the spectral ones, for ‖W‖_F² is the sum of all σ². So it acts after the same burn-in, beside an optimizer's own `decay`, which
 * acts on all weights from the start.
 */
export function weightDecay(model: Model, strength: Strength): Regularizer {
  const active = since(KIND, strength);
  const { gamma } = strength;
  const kernels = [...model.featureLayers, model.readout].map(({ kernel }) => kernel);
  return {
    kind: KIND,
    active,
    addGradients({ weights }, gradients) {
      for (const name of kernels) addGradient(gradients, name, tf.mul(weight(weights, name), gamma));
    },
    value: ({ weights }) =>
      kernels.reduce(
        (sum, name) => sum + (gamma / 2) * tf.tidy(() => tf.sum(tf.square(weight(weights, name))).dataSync()[0]!),
        0,
      ),
  };
}
