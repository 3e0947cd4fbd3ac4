import { tf } from '../../tensorflow/device-tf.js';
import { type Activation, activateWithSlope, affine } from './activation-activation.js';
import { type FeatureJacobian, type Gradients, type Linearization, type Weights, weight } from './model-model.js';

/** h ↦ φ((hW + b) · factor). */
interface HiddenLayer {
  /** Names among the weights. */
  readonly kernel: string;
  readonly bias: string;
  readonly factor: number;
}

/**
 * ∇Φ(x) = D_{L−1}W_{L−1}ᵀ … D_1W_1ᵀ (paper, A.9; kernels are [in, out], and D_l takes the factor in) as products, by hand.
 *
 * A direction t goes forward as t ← (tW_l) ⊙ d_l with d_l = φ'(a_l) · factor, a cotangent q back as q ← (q ⊙ d_l)W_lᵀ.
 */
export function denseJacobian(
  layers: readonly HiddenLayer[],
  phi: Activation,
  flat: (x: tf.Tensor) => tf.Tensor2D,
): FeatureJacobian {
  const kernelOf = (weights: Weights, { kernel }: HiddenLayer) => weight<tf.Tensor2D>(weights, kernel);
  const biasOf = (weights: Weights, { bias }: HiddenLayer) => weight<tf.Tensor1D>(weights, bias);

  function at(weights: Weights, x: tf.Tensor): Linearization {
    const inputs: tf.Tensor2D[] = []; // h_0 … h_{L−2}
    const slopes: tf.Tensor2D[] = []; // d_l
    const kernels = layers.map((layer) => kernelOf(weights, layer));
    tf.tidy(() => {
      let h = flat(x);
      for (const [l, layer] of layers.entries()) {
        inputs.push(tf.keep(tf.clone(h)));
        const [next, slope] = activateWithSlope(phi, tf.matMul(h, kernels[l]!), biasOf(weights, layer), layer.factor);
        slopes.push(tf.keep(slope));
        h = next;
      }
    });
    const bends: tf.Tensor2D[] = []; // ∂d_l/∂(h_{l−1}W_l), where gradients were asked for
    const bend = (l: number): tf.Tensor2D => {
      const { factor } = layers[l]!;
      bends[l] ??= tf.tidy(() => {
        const z: tf.Tensor2D = tf.matMul(inputs[l]!, kernels[l]!);
        return tf.keep(tf.mul(phi.curvature(affine(z, biasOf(weights, layers[l]!), factor)), factor * factor));
      });
      return bends[l];
    };

    return {
      forward: (p) => tf.tidy(() => slopes.reduce<tf.Tensor2D>((t, d, l) => tf.mul(tf.matMul(t, kernels[l]!), d), p)),
      backward: (q) =>
        tf.tidy(() =>
          slopes.reduceRight<tf.Tensor2D>((q, d, l) => tf.matMul(tf.mul(q, d), kernels[l]!, false, true), q),
        ),

      gradients(p, q) {
        const found: Gradients = new Map();
        tf.tidy(() => {
          const directions: tf.Tensor2D[] = [p]; // t_0 … t_{L−2}
          const images: tf.Tensor2D[] = []; // t_{l−1}W_l
          for (const [l, d] of slopes.entries()) {
            images.push(tf.matMul(directions[l]!, kernels[l]!));
            directions.push(tf.mul(images[l]!, d));
          }
          let dt = q; // with respect to t_l
          let dh: tf.Tensor2D | undefined; // with respect to h_l, which the last layer's output does not enter
          for (let l = layers.length - 1; l >= 0; l--) {
            const du: tf.Tensor2D = tf.mul(dt, slopes[l]!);
            const bent: tf.Tensor2D = tf.mul(tf.mul(dt, images[l]!), bend(l));
            const dz: tf.Tensor2D = dh === undefined ? bent : tf.add(bent, tf.mul(dh, slopes[l]!));
            const both = tf.add(tf.matMul(inputs[l]!, dz, true), tf.matMul(directions[l]!, du, true));
            found.set(layers[l]!.kernel, tf.keep(both));
            found.set(layers[l]!.bias, tf.keep(tf.sum(dz, 0)));
            if (l === 0) break;
            dt = tf.matMul(du, kernels[l]!, false, true);
            dh = tf.matMul(dz, kernels[l]!, false, true);
          }
        });
        return found;
      },

      dispose: () => tf.dispose([inputs, slopes, bends]),
    };
  }

  const once = (weights: Weights, x: tf.Tensor, work: (at: Linearization) => tf.Tensor2D): tf.Tensor2D => {
    const linearization = at(weights, x);
    const result = work(linearization);
    linearization.dispose();
    return result;
  };
  return {
    forward: (weights, x, p) => once(weights, x, (here) => here.forward(p)),
    backward: (weights, x, q) => once(weights, x, (here) => here.backward(q)),
    at,
  };
}
