import { sizeOf } from '../../flow/data.js';
import { checkCounts } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import type { Linearization, Model } from '../model/model.js';
import { firstDirection } from '../spectral/power.js';
import {
  addGradients,
  linearized,
  type Regularizer,
  type RegularizerInput,
  type Strength,
  since,
} from './regularizer.js';

const KIND = 'feature-jacobian';

export interface FeatureJacobianOptions extends Strength {
  /** Power iterations for each sample, at every update from the same start. */
  readonly iterations?: number;
  /** Of the first direction. */
  readonly seed?: number;
}

/**
 * The quantity that rep-spectral bounds (paper, equation 4): γ/2 · mean over the batch of λ_max(g) = ‖∇Φ(x)‖₂², g = ∇Φ(x)ᵀ∇Φ(x).
 * The paper bounds it by the product of the layers' σ² (A.12) and regularizes their sum (5), with the same γ/2.
 *
 * λ_max by power iteration, each sample its own: p ← gp/‖·‖, λ = ‖∇Φ(x)p‖². Gradient in closed form, with p held constant: that
 * of λ is twice that of qᵀ∇Φ(x)p at q = ∇Φ(x)p. Both are exact for the direction found, and λ never lies above λ_max.
 *
 * The authors' code divides g by the width, and takes the mean as here.
 *
 * @throws {WeirError} for models that do not linearize themselves by hand; MLPs do
 */
export function featureJacobian(
  model: Model,
  { iterations = 10, seed = 0, ...strength }: FeatureJacobianOptions,
): Regularizer {
  const active = since(KIND, strength);
  checkCounts(`regularizer '${KIND}'`, { iterations });
  const linearize = linearized(KIND, model);
  const inputs = sizeOf(model.inputShape);
  const start = firstDirection(seed, 0, inputs);

  /** Top right singular vectors p and their images q = ∇Φ p. */
  function top(at: Linearization, n: number): [p: tf.Tensor2D, q: tf.Tensor2D] {
    return tf.tidy(() => {
      let p = unit(tf.tile(tf.tensor2d(start, [1, inputs]), [n, 1]));
      let q = at.forward(p);
      for (let i = 0; i < iterations; i++) {
        const before = [p, q];
        p = unit(at.backward(q));
        q = at.forward(p);
        tf.dispose(before);
      }
      return [p, q];
    }) as [tf.Tensor2D, tf.Tensor2D];
  }

  const linearizedAt = <T>(
    { weights, x }: Pick<RegularizerInput, 'weights' | 'x'>,
    work: (at: Linearization, n: number) => T,
  ): T => {
    const at = linearize(weights, x);
    try {
      return work(at, x.shape[0]!);
    } finally {
      at.dispose();
    }
  };

  return {
    kind: KIND,
    active,
    addSampleGradients(input, gradients) {
      linearizedAt(input, (at, n) => {
        const [p, q] = top(at, n);
        const scaled: tf.Tensor2D = tf.mul(q, strength.gamma / n);
        addGradients(gradients, at.gradients(p, scaled));
        tf.dispose([p, q, scaled]);
      });
    },
    value: (input) =>
      linearizedAt(input, (at, n) =>
        tf.tidy(() => (strength.gamma / (2 * n)) * tf.sum(tf.square(top(at, n)[1])).dataSync()[0]!),
      ),
  };
}

/** Each row by its length; a row of zeros stays. */
const unit = (x: tf.Tensor2D): tf.Tensor2D => tf.tidy(() => tf.div(x, tf.maximum(tf.norm(x, 2, 1, true), 1e-30)));
