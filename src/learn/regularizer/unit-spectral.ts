import { WeirError } from '../../flow/errors.js';
import { checkNumbers } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import type { Model } from '../model/model.js';
import { addGradient } from './regularizer.js';
import { type SpectralOptions, type SpectralRegularizer, type SpectralTerm, spectral } from './spectral.js';

const KIND = 'unit-spectral';

export interface UnitSpectralOptions extends SpectralOptions {
  /** k, above 0; 2 by default, which is Weir's choice. */
  readonly exponent?: number;
}

/**
 * Spectral regularization towards 1: γ times
 *
 *   Σ_l (σ(W_l)ᵏ − 1)² over all layers, the readout included, which holds each σ near 1,
 *   Σ ‖b‖²ᵏ over biases, whose only singular value ‖b‖ goes to 0,
 *   Σ (s_j − 1)² over scales s of normalizations, value by value; their shifts count as biases.
 *
 * The first line is the regularizer of Lewandowski et al. 2025, "Learning continually by spectral regularization". The other two and k = 2 are
 * Weir's reading of how that paper treats its other parameters. They were not compared with its text or code: check them before you compare numbers.
 *
 * The gradient of the first is 2γk (σᵏ − 1) σ^(k−1) u vᵀ, with σ on the weights as they are now; v is held until the next tick, as for `rep-spectral`.
 * There a step of power iteration is taken at every update.
 *
 * Differences: σ of a convolution is that of the convolution at the size of its input, as in the other spectral regularizers here. σ is that of
 * the kernel: the factor 1/√width of `mlp` is not in it, so that a map of norm 1 needs `scale: 'none'`.
 *
 * @throws {WeirError} at the first update, for a trained matrix that is the kernel of no layer with σ, by its name
 */
export function unitSpectral(model: Model, { exponent: k = 2, ...options }: UnitSpectralOptions): SpectralRegularizer {
  const { gamma } = options;
  checkNumbers(`regularizer '${KIND}'`, { exponent: k });
  if (k === 0) {
    throw new WeirError(`regularizer '${KIND}' was given exponent = 0: every σ⁰ is 1`, 'give one above 0, such as 2');
  }
  const layers = [...model.featureLayers, model.readout];
  const kernels = new Set(layers.map(({ kernel }) => kernel));
  const fixed = new Set(model.statistics);
  const term: SpectralTerm = {
    value: (square) => gamma * (square ** (k / 2) - 1) ** 2,
    strength(square) {
      const s = square();
      return s === 0 ? 0 : 2 * gamma * k * (s ** (k / 2) - 1) * s ** (k / 2 - 1); // σ = 0 has no direction
    },
  };
  const ofKernels = spectral(KIND, model, layers, options, term);

  return {
    ...ofKernels,
    value({ weights }) {
      const vectors = [...weights].filter(([name]) => !kernels.has(name) && !fixed.has(name));
      const others = vectors.map(([name, w]) => (isScale(name, w) ? squareFrom(w, 1) : squareFrom(w, 0) ** k));
      return ofKernels.value.call(this, { weights }) + gamma * others.reduce((sum, one) => sum + one, 0);
    },
    addGradients({ weights }, gradients) {
      for (const name of gradients.keys()) {
        const w = weights.get(name)!;
        if (kernels.has(name)) continue;
        const added = tf.tidy(() => {
          if (isScale(name, w)) return tf.mul(tf.sub(w, 1), 2 * gamma);
          const square = squareFrom(w, 0); // ‖b‖²ᵏ = (‖b‖²)ᵏ
          return tf.mul(w, square === 0 ? 0 : 2 * gamma * k * square ** (k - 1));
        });
        addGradient(gradients, name, added);
      }
      ofKernels.addGradients.call(this, { weights }, gradients);
    },
  };
}

/** Whether a weight that is no kernel multiplies; the others are added. */
function isScale(name: string, w: tf.Tensor): boolean {
  if (w.rank <= 1) return name.endsWith('/scale');
  throw new WeirError(
    `regularizer '${KIND}' does not know the weight '${name}' of [${w.shape.join(', ')}]: it is the kernel of no layer with σ`,
    'make its layer one that declares `linear: true`, or take another regularizer, such as rep-spectral',
  );
}

/** ‖w − origin‖². */
const squareFrom = (w: tf.Tensor, origin: number): number =>
  tf.tidy(() => tf.sum(tf.square(tf.sub(w, origin))).dataSync()[0]!);
