import { composedNormalisations } from './batch-norm-composed.js';
import { hasFused } from './fused.js';
import { nothing, type Precision } from './precision.js';
import { constant, needsNative, type Raw, run } from './raw.js';

/** What a batch normalisation learns, [channels] each, float32. */
export interface Affine {
  readonly scale: Raw;
  readonly offset: Raw;
}

/** What follows it: a rectifier or nothing, or a residual of the shape of x and a rectifier behind the sum. */
export type After =
  | { readonly rectify: boolean; readonly residual?: undefined }
  | { readonly rectify: true; readonly residual: Raw };

export interface Normalised {
  readonly y: Raw;
  /** Of the batch by channel, float32; the variance is the biased one, which normalises. They belong to the caller, as y does. */
  readonly mean: Raw;
  readonly variance: Raw;
}

/** Gradients, all new. */
export interface NormalisedBack {
  readonly x: Raw;
  /** With respect to the residual; undefined where there was none. */
  readonly residual: Raw | undefined;
  readonly scale: Raw;
  readonly offset: Raw;
}

/**
 * Batch normalisation in training mode, y = scale (x − mean)/√(variance + ε) + offset, then a residual and a rectifier where asked.
 * x is [n, height, width, channels] of the precision asked for. What is handed in stays the caller's.
 */
export interface Normalisations {
  forward(x: Raw, affine: Affine, after: After): Normalised;
  /** @param dy the gradient with respect to y, and `other` what is to be added to it */
  back(dy: Raw, other: Raw | undefined, x: Raw, normalised: Normalised, affine: Affine, after: After): NormalisedBack;
}

/** Batch normalisation on this device. Native runtime only. */
export function normalisations(precision: Precision, epsilon: number): Normalisations {
  needsNative('batch normalisation');
  return hasFused() ? fusedNormalisations(precision, epsilon) : composedNormalisations(precision, epsilon);
}

/** By the operations of setup/kernels/normalisation.cc. Only where `hasFused()`. */
export function fusedNormalisations(precision: Precision, epsilon: number): Normalisations {
  const suffix = precision === 'bfloat16' ? '16' : '';
  return {
    forward(x, { scale, offset }, { residual, rectify }) {
      const [mean, variance] = run(`WeirMoments${suffix}`, [], [x], 2) as [Raw, Raw];
      const settings = constant('float32', [epsilon, Number(rectify)]);
      const inputs = [x, mean, variance, scale, offset, residual ?? nothing(precision), settings];
      return { y: run(`WeirNormalise${suffix}`, [], inputs)[0], mean, variance };
    },
    back(dy, other, x, { y, mean, variance }, { scale, offset }, { residual, rectify }) {
      const joined = residual !== undefined; // then only y knows where the rectifier was open
      const images = [dy, other ?? nothing(precision), x, joined ? y : nothing(precision)];
      const inputs = [...images, mean, variance, scale, offset, constant('float32', [epsilon, Number(rectify)])];
      const [dx, g, dscale, doffset] = run(`WeirNormaliseBack${suffix}`, [], inputs, 4) as [Raw, Raw, Raw, Raw];
      if (!joined) g.dispose();
      return { x: dx, residual: joined ? g : undefined, scale: dscale, offset: doffset };
    },
  };
}
