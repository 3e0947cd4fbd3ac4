import { WeirError } from '../../flow/errors.js';
import { checkOptions, type OptionKeys } from '../../flow/options.js';
import type { Model } from '../model/model.js';
import { batchSpectralShrinkage, type ShrinkageOptions } from './batch-spectral-shrinkage.js';
import { crossLipschitz } from './cross-lipschitz.js';
import { type FeatureJacobianOptions, featureJacobian } from './feature-jacobian.js';
import { type L2SpOptions, l2Sp } from './l2-sp.js';
import type { Regularizer, Strength } from './regularizer.js';
import {
  type SpectralKind,
  type SpectralOptions,
  type SpectralRegularizer,
  spectralBuilders,
  spectralKeys,
} from './spectral.js';
import { type UnitSpectralOptions, unitSpectral } from './unit-spectral.js';
import { weightDecay } from './weight-decay.js';

/** Builds a regularizer of each kind for a model: a new one is a module and a line here. */
const builders = {
  ...spectralBuilders,
  'unit-spectral': unitSpectral,
  'weight-decay': weightDecay,
  'feature-jacobian': featureJacobian,
  'cross-lipschitz': crossLipschitz,
  'batch-spectral-shrinkage': batchSpectralShrinkage,
  'l2-sp': l2Sp,
} as const;

export type RegularizerKind = keyof typeof builders;

/** The regularizers that a config can name: the spectral ones ('none' among them), and those they are compared with. */
export const regularizerKinds = Object.keys(builders) as [RegularizerKind, ...RegularizerKind[]];

/** Strength, burn-in, and the options of each kind; the other kinds ignore them. */
export type RegularizerOptions = Strength &
  Partial<SpectralOptions & UnitSpectralOptions & FeatureJacobianOptions & ShrinkageOptions & L2SpOptions>;

const optionKeys: OptionKeys<RegularizerOptions> = {
  ...spectralKeys,
  exponent: 'optional',
  smallest: 'optional',
  beta: 'optional',
  start: 'optional',
};

/**
 * Builds the regularizer of that kind for a model. What γ multiplies is each one's own:
 *
 * | kind | term | gradient goes |
 * |---|---|---|
 * | rep-spectral, ll-spectral, readout-spectral | γ/2 · Σ σ²(W_l) | to the kernels; needs a `spectralTick` |
 * | unit-spectral | γ · Σ (σᵏ(W_l) − 1)² + γ · Σ ‖b_l‖²ᵏ + γ · Σ (scale − 1)² | to all weights; k is `exponent`; needs a `spectralTick` |
 * | weight-decay | γ/2 · Σ ‖W_l‖_F² | to the kernels of all layers, the readout included |
 * | feature-jacobian | γ/2 · mean λ_max(g(x)) | through ∇Φ; MLPs |
 * | cross-lipschitz | γ/(nK²) · Σ ‖∇F_l(x) − ∇F_m(x)‖² | through ∇F; MLPs |
 * | batch-spectral-shrinkage | γ · Σ of the `smallest` σ²(Φ(X)) | through the features |
 * | l2-sp | γ/2 · ‖w − w⁰‖² + β/2 · ‖w_readout‖² | to the weights; w⁰ = model.start(seed) unless `start` says otherwise |
 * | none | 0 | |
 *
 * @throws {WeirError} for an unknown kind, and for options that the kind does not take
 * @example regularizer('cross-lipschitz', model, { gamma: 1e-3, from: { epoch: 160 } })
 */
export function regularizer(kind: SpectralKind, model: Model, options: RegularizerOptions): SpectralRegularizer;
export function regularizer(kind: RegularizerKind, model: Model, options: RegularizerOptions): Regularizer;
export function regularizer(kind: RegularizerKind, model: Model, options: RegularizerOptions): Regularizer {
  if (!Object.hasOwn(builders, kind)) {
    throw new WeirError(`there is no regularizer '${kind}'`, `name one of ${regularizerKinds.join(', ')}`);
  }
  return builders[kind](model, checkOptions('regularizer', options, optionKeys));
}
