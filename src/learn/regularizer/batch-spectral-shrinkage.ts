import { WeirError } from '../../flow/errors.js';
import { checkCounts } from '../../flow/options.js';
import { singularValues, svd } from '../../tensorflow/ops/spectral.js';
import { tf } from '../../tensorflow/tf.js';
import type { Model } from '../model/model.js';
import { type Regularizer, type Strength, since } from './regularizer.js';

const KIND = 'batch-spectral-shrinkage';

export interface ShrinkageOptions extends Strength {
  /** k: how many of the smallest singular values. */
  readonly smallest?: number;
}

/**
 * Batch spectral shrinkage (Chen et al. 2019; the paper's BSS): γ · Σ σ²_{−i}(F), i = 1 … k, over the k smallest singular values
 * of the features F = Φ(X) of a batch, [n, width], which has min(n, width) of them.
 *
 * Gradient: 2γ U_k diag(σ) V_kᵀ by the singular value decomposition. It is finite for every finite batch: in the directions
 * that a rank-deficient batch lacks (σ = 0) the regularizer is at its least, 0, and so is the gradient; where σ_{−k} is as large
 * as the next one, the direction is one of several, and the gradient that of one choice.
 *
 * The authors' code takes eigenvalues of F Fᵀ, [n, n]: where the batch is larger than the width the k smallest are those that
 * are 0 for every F, and nothing is regularized. Here it is the k smallest of the min(n, width).
 *
 * @throws {WeirError} at the first batch with fewer than k singular values, or with features that are not finite
 */
export function batchSpectralShrinkage(_model: Model, { smallest = 1, ...strength }: ShrinkageOptions): Regularizer {
  const active = since(KIND, strength);
  checkCounts(`regularizer '${KIND}'`, { smallest });
  const { gamma } = strength;
  return {
    kind: KIND,
    leastSamples: smallest,
    active,
    featuresGradient: (features) =>
      tf.tidy(() => tf.mul(shrinkageGradient(checked(features, smallest), smallest), gamma)),
    value: ({ features }) => gamma * shrinkage(checked(features, smallest), smallest),
  };
}

/** Σ σ² over the k smallest singular values of [n, width]. */
export function shrinkage(features: tf.Tensor2D, k: number): number {
  const values = tf.tidy(() => singularValues(features).dataSync<'float32'>());
  return values.subarray(values.length - k).reduce((sum, sigma) => sum + sigma * sigma, 0);
}

/** Its gradient with respect to the features, [n, width]. */
export function shrinkageGradient(features: tf.Tensor2D, k: number): tf.Tensor2D {
  return tf.tidy(() => {
    const { s, u, v } = svd(features);
    const first = s.shape[0]! - k;
    const [uk, vk] = [u, v].map((side) => tf.slice(side as tf.Tensor2D, [0, first], [-1, k]));
    return tf.matMul(tf.mul(uk!, tf.mul(tf.slice(s as tf.Tensor1D, first, k), 2)) as tf.Tensor2D, vk!, false, true);
  });
}

function checked(features: tf.Tensor2D, k: number): tf.Tensor2D {
  const [n, width] = features.shape;
  if (k > Math.min(n, width)) {
    throw new WeirError(
      `'${KIND}' is to shrink the ${k} smallest singular values, but a batch of ${n} samples and ${width} features has only ${Math.min(n, width)}`,
      "make 'smallest' smaller or the batch larger; batch(size, { partial: 'drop' }) leaves out a short last one",
    );
  }
  if (tf.tidy(() => tf.all(tf.isFinite(features)).dataSync()[0]) === 0) {
    throw new WeirError(
      `'${KIND}' was handed features that are not finite`,
      'take a smaller learning rate or γ, and go on from the last snapshot or start again',
    );
  }
  return features;
}
