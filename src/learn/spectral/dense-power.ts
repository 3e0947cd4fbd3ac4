import { tf } from '../../tensorflow/device-tf.js';
import { addOuter } from '../../tensorflow/ops/fused.js';
import type { DenseLayer } from '../model/layer.js';
import { weight } from '../model/model-model.js';
import { firstDirection, powerIterate } from './dense.js';
import type { LayerPower, PowerOptions } from './layer.js';
import { exactDense } from './spectral-exact.js';
import type { Singular } from './spectrum.js';

/** A dense layer y = xW: ∂/∂W of strength/2 · ‖Wᵀv‖² is strength · v (Wᵀv)ᵀ (section 3.2, in the layout [in, out]). */
export function densePower(
  layer: DenseLayer,
  index: number,
  { iterations, seed, directions }: Pick<PowerOptions, 'iterations' | 'seed' | 'directions'>,
): LayerPower {
  const kernelOf = (weights: Parameters<LayerPower['begin']>[0]) => weight<tf.Tensor2D>(weights, layer.kernel);
  if (directions === 'exact') {
    const power = densePower(layer, index, { iterations, seed, directions: 'power' });
    return {
      ...power,
      begin: (weights) => exact(kernelOf(weights), layer.name),
      iterate: (weights) => exact(kernelOf(weights), layer.name),
    };
  }
  return {
    layer,
    /** At most 2 · (input dimension) iterations, until v moves less than 1e-6. */
    begin(weights) {
      const kernel = kernelOf(weights);
      const inputs = kernel.shape[0];
      return powerIterate(kernel, firstDirection(seed, index, inputs), { steps: 2 * inputs, direction: 1e-6 });
    },
    iterate: (weights, { v }) => powerIterate(kernelOf(weights), v, { steps: iterations }),
    square: (weights, singular) => tf.tidy(() => tf.sum(tf.square(image(kernelOf(weights), singular))).dataSync()[0]!),
    addGradients(weights, singular, strength, gradients) {
      const w = kernelOf(weights);
      const old = gradients.get(layer.kernel) as tf.Tensor2D;
      gradients.set(
        layer.kernel,
        tf.tidy(() => addOuter(old, tf.tensor1d(singular.v), tf.mul(image(w, singular), strength))),
      );
      old.dispose();
    },
  };
}

/** (Wᵀv)ᵀ = vᵀW, of shape [1, out]. */
const image = (kernel: tf.Tensor2D, { v }: Singular): tf.Tensor2D => tf.matMul(tf.tensor2d(v, [1, v.length]), kernel);

function exact(kernel: tf.Tensor2D, layer: string): Singular {
  const { wave } = exactDense(kernel, { layer });
  return powerIterate(kernel, wave!.patch.slice(0, kernel.shape[0]), { steps: 0 });
}
