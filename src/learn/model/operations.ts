import type { ActivationName } from './activation.js';

/**
 * A step of a network in evaluation as plain data, for files of other tools. Tensors are named as among the weights: kernels HWIO,
 * matrices [in, out].
 */
export type Operation =
  | DenseOperation
  | ConvOperation
  | NormalizeOperation
  | { readonly kind: 'activation'; readonly name: ActivationName }
  | PoolOperation
  /** The mean over all positions of a map, channel by channel. */
  | { readonly kind: 'globalMean' }
  | SubsampleOperation
  | SumOperation;

/** y = (xW + b) · factor; a map is first laid out as a vector, row by row, channels last. */
export interface DenseOperation {
  readonly kind: 'dense';
  readonly kernel: string;
  readonly bias?: string;
  /** 1 where it is left out. */
  readonly factor?: number;
}

/** Half the kernel is padded on each side. */
export interface ConvOperation {
  readonly kind: 'conv';
  readonly kernel: string;
  readonly bias?: string;
  readonly size: number;
  readonly stride: number;
  readonly padding: 'circular' | 'zero';
}

/** (x − mean) / √(variance + ε) · scale + offset, channel by channel. */
export interface NormalizeOperation {
  readonly kind: 'normalize';
  readonly scale: string;
  readonly offset: string;
  readonly mean: string;
  readonly variance: string;
  readonly epsilon: number;
}

/** The largest value or the mean of each window; `edge` pixels on each side are padded with what is never the only largest. */
export interface PoolOperation {
  readonly kind: 'maxPool' | 'meanPool';
  readonly size: number;
  readonly stride: number;
  readonly edge: number;
}

/** Every pixel at the stride, with channels of zeros: as many before as behind, up to `out` (He et al. 2016, option A). */
export interface SubsampleOperation {
  readonly kind: 'subsample';
  readonly stride: number;
  readonly out: number;
}

/** Branches of one input that are added; [] is the identity. */
export interface SumOperation {
  readonly kind: 'sum';
  readonly branches: readonly (readonly Operation[])[];
}

/** A whole network: Φ, and the steps from its features to the outputs. */
export interface Operations {
  readonly features: readonly Operation[];
  readonly outputs: readonly Operation[];
}
