import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import { samplesOf, type ViewsLoss, type ViewsLossValue } from './loss.js';

export interface BarlowTwinsOptions {
  /** λ, the weight of the entries off the diagonal. */
  readonly lambda?: number;
  /** ε, added to each variance. */
  readonly epsilon?: number;
}

/**
 * Barlow Twins (Zbontar et al. 2021, equation 1): Σ_i (1 − C_ii)² + λ Σ_{i≠j} C_ij², where C = ẑ₁ᵀ ẑ₂ / n is the correlation of the
 * features of one view with those of the other, each standardized over the batch, ẑ = (z − mean) / √(variance + ε).
 *
 * Gradient, with G = ∂L/∂C: ∂L/∂z₁ = (ẑ₂ Gᵀ − ẑ₁ ∘ Σ_j (C ∘ G)_ij) / (n √(variance + ε)), and ∂L/∂z₂ likewise with Gᵀ;
 * the part through the mean is 0, because ẑ has mean 0.
 *
 * As the authors of the paper compute it: biased variance, divided by the batch size, no factor of 1/32, a view a pass. A feature
 * that is constant over the batch correlates with nothing (C_ij = 0, which costs 1) and has a finite gradient. A projection that is
 * not finite makes the loss NaN, at which training ends by name.
 *
 * @throws {WeirError} for a batch of one sample, whose variance is 0
 */
export function barlowTwins(options: BarlowTwinsOptions = {}): ViewsLoss {
  const { lambda = 0.005, epsilon = 1e-5 } = checkOptions('barlowTwins', options, {
    lambda: 'optional',
    epsilon: 'optional',
  });
  const name = 'barlow-twins';
  if (!(lambda >= 0 && Number.isFinite(lambda)) || !(epsilon > 0 && Number.isFinite(epsilon))) {
    throw new WeirError(
      `loss '${name}' was given lambda = ${lambda} and epsilon = ${epsilon}`,
      'give finite numbers, lambda of at least 0 and epsilon above 0',
    );
  }
  return { name, views: 2, passes: 'each', of: (projections) => compute(projections, samplesOf(name, projections)) };

  function compute(projections: tf.Tensor2D, n: number): ViewsLossValue {
    return tf.tidy(() => {
      const [one, two] = [0, n].map((first) => standardized(tf.slice(projections, first, n), epsilon));
      const C: tf.Tensor2D = tf.div(tf.matMul(one!.z, two!.z, true), n);
      const identity = tf.eye(C.shape[0]);
      const away = tf.sub(C, identity);
      const weighted = tf.mul(away, tf.add(tf.mul(identity, 1 - lambda), lambda));
      const G: tf.Tensor2D = tf.mul(weighted, 2);
      const own = tf.mul(C, G);
      const back = (to: Standardized, pulled: tf.Tensor, own: tf.Tensor): tf.Tensor2D =>
        tf.div(tf.sub(pulled, tf.mul(to.z, own)), tf.mul(to.deviation, n));
      const gradient = tf.concat([
        back(one!, tf.matMul(two!.z, G, false, true), tf.sum(own, 1)),
        back(two!, tf.matMul(one!.z, G), tf.sum(own, 0)),
      ]);
      return { value: tf.sum(tf.mul(weighted, away)), gradient } as Record<string, tf.Tensor>;
    }) as unknown as ViewsLossValue;
  }
}

interface Standardized {
  readonly z: tf.Tensor2D;
  /** √(variance + ε) of each feature. */
  readonly deviation: tf.Tensor1D;
}

function standardized(z: tf.Tensor2D, epsilon: number): Standardized {
  const centered = tf.sub(z, tf.mean(z, 0));
  const deviation: tf.Tensor1D = tf.sqrt(tf.add(tf.mean(tf.square(centered), 0), epsilon));
  return { z: tf.div(centered, deviation), deviation };
}
