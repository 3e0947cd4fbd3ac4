import type { Layer } from './layer.js';

/** The ℓp norms that inputs and features are measured in, p = 1, 2, ∞. */
export const norms = ['l1', 'l2', 'linf'] as const;

export type Norm = (typeof norms)[number];

export type ByNorm<T> = Readonly<Record<Norm, T>>;

/**
 * A piece of a feature map, as far as it must be known to bound how much the map can stretch: a linear layer by its kernel (a
 * convolution with the batch normalization behind it, where it names one), any other map by its constants, branches that are added.
 */
export type Part = Layer | Bounded | Sum;

/** A map with ‖m(a) − m(b)‖ ≤ lipschitz · ‖a − b‖ in each norm, whatever the weights. */
export interface Bounded {
  readonly kind: 'bounded';
  readonly name: string;
  readonly lipschitz: ByNorm<number>;
}

/** Branches that start at one place and are added: a residual block is its branch and its shortcut, [] where that is the identity. */
export interface Sum {
  readonly kind: 'sum';
  readonly branches: readonly (readonly Part[])[];
}

/** φ applied to each value, with max |φ'|: the same constant in every norm. */
export const elementwise = (name: string, slope: number): Bounded => ({
  ...{ kind: 'bounded', name },
  lipschitz: { l1: slope, l2: slope, linf: slope },
});

/** The mean over all positions of a map, channel by channel: 1/positions, 1/√positions and 1. */
export const meanOver = (positions: number): Bounded => ({
  ...{ kind: 'bounded', name: 'mean' },
  lipschitz: { l1: 1 / positions, l2: 1 / Math.sqrt(positions), linf: 1 },
});

/** The largest of each window of size × size at a stride: one value is in up to ⌈size/stride⌉² windows. */
export function largestOf(size: number, stride: number): Bounded {
  const windows = Math.ceil(size / stride) ** 2;
  return {
    ...{ kind: 'bounded', name: 'largest' },
    lipschitz: { l1: windows, l2: Math.sqrt(windows), linf: 1 },
  };
}
