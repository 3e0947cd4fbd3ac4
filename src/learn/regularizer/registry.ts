import { WeirError } from '../../flow/errors.js';
import type { Model } from '../model/model.js';
import { batchSpectralShrinkage, type ShrinkageOptions } from './batch-spectral-shrinkage.js';
import { crossLipschitz } from './cross-lipschitz.js';
import { type FeatureJacobianOptions, featureJacobian } from './feature-jacobian.js';
import { type L2SpOptions, l2Sp } from './l2-sp.js';
import type { Regularizer } from './regularizer.js';
import {
  type SpectralKind,
  type SpectralOptions,
  type SpectralRegularizer,
  spectralKinds,
  spectralRegularizer,
} from './spectral.js';

/** The regularizers that a config can name: the spectral ones ('none' among them), and those they are compared with. */
export const regularizerKinds = [
  ...spectralKinds,
  'feature-jacobian',
  'cross-lipschitz',
  'batch-spectral-shrinkage',
  'l2-sp',
] as const;

export type RegularizerKind = (typeof regularizerKinds)[number];

/** Strength, burn-in, and what single kinds take; the others leave it aside. */
export interface RegularizerOptions
  extends SpectralOptions,
    Omit<FeatureJacobianOptions, keyof SpectralOptions>,
    Omit<ShrinkageOptions, keyof SpectralOptions>,
    Partial<Omit<L2SpOptions, keyof SpectralOptions>> {}

/**
 * Builds the regularizer of that kind for a model. What γ multiplies is each one's own:
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
 * @example regularizer('cross-lipschitz', model, { gamma: 1e-3, from: { epoch: 160 } })
 */
export function regularizer(kind: SpectralKind, model: Model, options: RegularizerOptions): SpectralRegularizer;
export function regularizer(kind: RegularizerKind, model: Model, options: RegularizerOptions): Regularizer;
export function regularizer(kind: RegularizerKind, model: Model, options: RegularizerOptions): Regularizer {
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
      if (spectralKinds.includes(kind)) return spectralRegularizer(kind, model, options);
      throw new WeirError(`there is no regularizer '${kind}'`, `name one of ${regularizerKinds.join(', ')}`);
  }
}

/** Is it one whose directions a `spectralTick` refreshes? */
export const isSpectral = (one: Regularizer): one is SpectralRegularizer =>
  (spectralKinds as readonly string[]).includes(one.kind);
