import { WeirError } from '../../core/errors.js';
import type { Model } from '../model/model.js';
import {
  type PenaltyKind,
  type PenaltyOptions,
  penaltyKinds,
  type SpectralPenalty,
  spectralPenalty,
} from '../spectral/penalty.js';
import { batchSpectralShrinkage, type ShrinkageOptions } from './batch-spectral-shrinkage.js';
import { crossLipschitz } from './cross-lipschitz.js';
import { type FeatureJacobianOptions, featureJacobian } from './feature-jacobian.js';
import { type L2SpOptions, l2Sp } from './l2-sp.js';
import type { Regulariser } from './regulariser.js';

/** The regularisers that a config can name: the spectral penalties ('none' among them), and those they are compared with. */
export const regulariserKinds = [
  ...penaltyKinds,
  'feature-jacobian',
  'cross-lipschitz',
  'batch-spectral-shrinkage',
  'l2-sp',
] as const;

export type RegulariserKind = (typeof regulariserKinds)[number];

/** Strength, burn-in, and what single kinds take; the others leave it aside. */
export interface RegulariserOptions
  extends PenaltyOptions,
    Omit<FeatureJacobianOptions, keyof PenaltyOptions>,
    Omit<ShrinkageOptions, keyof PenaltyOptions>,
    Partial<Omit<L2SpOptions, keyof PenaltyOptions>> {}

/**
 * Builds the regulariser of that kind for a model. What γ multiplies is each one's own:
 *
 * | kind | term | gradient goes |
 * |---|---|---|
 * | rep-spectral, ll-spectral, readout-spectral | γ/2 · Σ σ²(W_l) | to the kernels; needs a `spectralTick` |
 * | feature-jacobian | γ/2 · mean λ_max(g(x)) | through ∇Φ; MLPs |
 * | cross-lipschitz | γ/(nK²) · Σ ‖∇F_l(x) − ∇F_m(x)‖² | through ∇F; MLPs |
 * | batch-spectral-shrinkage | γ · Σ of the `smallest` σ²(Φ(X)) | through the features |
 * | l2-sp | γ/2 · ‖w − w⁰‖² + β/2 · ‖w_readout‖² | to the weights; w⁰ = model.start(seed) unless `start` says otherwise |
 * | none | 0 | |
 *
 * @example regulariser('cross-lipschitz', model, { gamma: 1e-3, from: { epoch: 160 } })
 */
export function regulariser(kind: PenaltyKind, model: Model, options: RegulariserOptions): SpectralPenalty;
export function regulariser(kind: RegulariserKind, model: Model, options: RegulariserOptions): Regulariser;
export function regulariser(kind: RegulariserKind, model: Model, options: RegulariserOptions): Regulariser {
  switch (kind) {
    case 'feature-jacobian':
      return featureJacobian(model, options);
    case 'cross-lipschitz':
      return crossLipschitz(model, options);
    case 'batch-spectral-shrinkage':
      return batchSpectralShrinkage(options);
    case 'l2-sp':
      return l2Sp(model, { ...options, start: options.start ?? (() => model.start(options.seed ?? 0)) });
    default:
      if (penaltyKinds.includes(kind)) return spectralPenalty(kind, model, options);
      throw new WeirError(`there is no regulariser '${kind}'`, `name one of ${regulariserKinds.join(', ')}`);
  }
}

/** Is it one whose directions a `spectralTick` refreshes? */
export const isSpectral = (one: Regulariser): one is SpectralPenalty =>
  (penaltyKinds as readonly string[]).includes(one.kind);
