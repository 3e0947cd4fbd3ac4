import { checkNumbers, checkOptions } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import { crossEntropy } from './cross-entropy.js';
import { samplesOf, type ViewsLoss, type ViewsLossValue } from './loss.js';

export interface NtXentOptions {
  /** T: similarities are divided by it. */
  readonly temperature?: number;
}

/** The similarity of a projection to itself: far below any other, and finite so that no product with 0 is NaN. */
const NEVER = -1e30;

/**
 * SimCLR's normalized temperature-scaled cross-entropy (Chen et al. 2020, equation 1), the mean over the 2n projections of n samples
 * in two views: −log softmax(uᵢ · u_k / T, k ≠ i)[i's other view], u = z / ‖z‖.
 *
 * Gradient, with G that of the similarities: ∂L/∂u = (G + Gᵀ) u / T, and ∂L/∂z = (∂u − (u · ∂u) u) / ‖z‖.
 *
 * As in the paper's authors' code both views are one batch. A projection of length 0 has no direction: it is similar to none (0), and
 * its gradient is 0. One that is not finite makes the loss NaN, at which training ends by name.
 *
 * @throws {WeirError} for a batch of one sample, which has no other to be compared with
 * @example train(projected(backbone, { outputs: 128 }), { loss: ntXent({ temperature: 0.07 }), optimizer: sgd({ rate: 0.1 }), seed })
 */
export function ntXent(options: NtXentOptions = {}): ViewsLoss {
  const { temperature = 0.07 } = checkOptions('ntXent', options, { temperature: 'optional' });
  const name = 'nt-xent';
  checkNumbers(`loss '${name}'`, { temperature }, { above: 0 });
  const softmax = crossEntropy();
  return { name, views: 2, passes: 'together', of: (z) => compute(z, samplesOf(name, z)) };

  function compute(z: tf.Tensor2D, n: number): ViewsLossValue {
    return tf.tidy(() => {
      const { u, length } = normalized(z);
      const rows = tf.range(0, 2 * n, 1, 'int32');
      const others: tf.Tensor1D = tf.mod(tf.add(rows, tf.scalar(n, 'int32')), tf.scalar(2 * n, 'int32'));
      const similarities = tf.div(tf.matMul(u, u, false, true), temperature);
      const itself = tf.equal(tf.expandDims(rows, 1), rows);
      const logits = tf.where(itself, tf.scalar(NEVER), similarities) as tf.Tensor2D;
      const { value, gradient: G } = softmax.of(logits, others);
      const du = tf.div(tf.matMul(tf.add(G, tf.transpose(G)), u), temperature);
      const gradient = tf.divNoNan(tf.sub(du, tf.mul(u, tf.sum(tf.mul(u, du), 1, true))), length);
      const nearest = tf.cast(tf.equal(tf.argMax(logits, 1), others), 'float32');
      return { value, gradient, correct: tf.div(tf.sum(nearest), 2) } as Record<string, tf.Tensor>;
    }) as unknown as ViewsLossValue;
  }
}

/** z / ‖z‖ and ‖z‖ of each row, by way of its largest value, so that no square is too large or too small for float32. */
export function normalized(z: tf.Tensor2D): { readonly u: tf.Tensor2D; readonly length: tf.Tensor2D } {
  const largest = tf.max(tf.abs(z), 1, true);
  const scaled = tf.divNoNan(z, largest);
  const norm = tf.norm(scaled, 'euclidean', 1, true);
  return { u: tf.divNoNan(scaled, norm), length: tf.mul(norm, largest) as tf.Tensor2D };
}

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
 * @example train(projected(backbone, { outputs: 512 }), { loss: barlowTwins(), optimizer: lars({ rate: 0.3 }), seed })
 */
export function barlowTwins(options: BarlowTwinsOptions = {}): ViewsLoss {
  const { lambda = 0.005, epsilon = 1e-5 } = checkOptions('barlowTwins', options, {
    lambda: 'optional',
    epsilon: 'optional',
  });
  const name = 'barlow-twins';
  checkNumbers(`loss '${name}'`, { lambda });
  checkNumbers(`loss '${name}'`, { epsilon }, { above: 0 });
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
