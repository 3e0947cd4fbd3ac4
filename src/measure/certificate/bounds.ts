import type { ByNorm } from '../../learn/model/part.js';

/**
 * - `certified`: the bounds hold for this sample.
 * - `already-misclassified`: the model does not give the sample its label; the bounds are 0.
 * - `one-class`: there is no wrong class, so nothing changes it; the bounds are infinite.
 * - `not-a-number`: a logit of the sample is NaN; so are the bounds.
 */
export type CertificateOutcome = 'certified' | 'already-misclassified' | 'one-class' | 'not-a-number';

/** Bounds on the distance from one sample to the nearest input of another class, in input units. */
export interface Bounds {
  readonly outcome: CertificateOutcome;
  /** Class that the model gives the sample; −1 where its logits are NaN. */
  readonly predicted: number;
  /** The wrong class with the smallest rigorous ℓ2 bound, which θ and the margin are of; −1 without one. */
  readonly rival: number;
  /** θ_x = w·Φ(x) / (‖w‖₂ ‖Φ(x)‖₂), w = W_c − W_k (paper, lemma 1); NaN without a rival. */
  readonly theta: number;
  /** ‖Φ(x)‖₂ */
  readonly featureNorm: number;
  /** (w·Φ(x) + b_c − b_k) / ‖w‖₂: how far Φ(x) is from the boundary, in feature space. NaN without a rival. */
  readonly marginOverReadoutNorm: number;
  /** L of the feature map in ℓ2, over all inputs, from the norms of its layers. */
  readonly lipschitz: number;
  /** No perturbation that is smaller, in ℓp, changes the class. */
  readonly lower: ByNorm<number>;
  /** The same with the largest ‖∇Φ‖ that was met nearby: an estimate, which may lie above the distance. NaN in norms not asked for. */
  readonly local: ByNorm<number>;
}

/** A bound that is not met within floats: 0 where nothing is left of the margin, infinite where nothing can use it up. */
export function quotient(margin: number, slope: number): number {
  if (Number.isNaN(margin) || Number.isNaN(slope)) return Number.NaN;
  if (margin <= 0) return 0;
  return slope === 0 ? Number.POSITIVE_INFINITY : margin / slope;
}
