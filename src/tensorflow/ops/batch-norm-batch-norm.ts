import type { Raw } from './raw.js';

/** What a batch normalization learns, [channels] each, float32. */
export interface Affine {
  readonly scale: Raw;
  readonly offset: Raw;
}

/** What follows it: a rectifier or nothing, or a residual of the shape of x and a rectifier behind the sum. */
export type After =
  | { readonly rectify: boolean; readonly residual?: undefined }
  | { readonly rectify: true; readonly residual: Raw };

export interface Normalized {
  readonly y: Raw;
  /** Of the batch by channel, float32; the variance is the biased one, which normalizes. They belong to the caller, as y does. */
  readonly mean: Raw;
  readonly variance: Raw;
  /** Numbers that each mean is over. */
  readonly count: number;
}

/** How many numbers the mean of a channel of images [n, height, width, channels] is over. */
export const numbersOf = ({ shape: [n, height, width] }: Raw): number => n! * height! * width!;

/** Gradients, all new. */
export interface NormalizedBack {
  readonly x: Raw;
  /** With respect to the residual; undefined where there was none. */
  readonly residual: Raw | undefined;
  readonly scale: Raw;
  readonly offset: Raw;
}

/**
 * Batch normalization in training mode, y = scale (x − mean)/√(variance + ε) + offset, then a residual and a rectifier where asked.
 * x is [n, height, width, channels] of the precision asked for. What is handed in stays the caller's.
 */
export interface Normalizations {
  forward(x: Raw, affine: Affine, after: After): Normalized;
  /** @param dy the gradient with respect to y, and `other` what is to be added to it */
  back(dy: Raw, other: Raw | undefined, x: Raw, normalized: Normalized, affine: Affine, after: After): NormalizedBack;
}
