import type { Analysis, Side } from 'weir-engine';

/** How the lists of claims write their comparisons: sides, tests and margins. */

/** An experiment, with its setting where it has several: a side without its method. */
export type At = Omit<Side, 'method'>;
export type Margin = Extract<Analysis, { readonly margin: unknown }>['margin'];

export const side = (at: At, method: string): Side => ({ ...at, method });
export const greater = (measure: string, at: At, a: string, b: string): Analysis => ({
  test: 'greater',
  measure,
  a: side(at, a),
  b: side(at, b),
});
export const less = (measure: string, at: At, a: string, b: string): Analysis => greater(measure, at, b, a);
export const notLess = (measure: string, at: At, a: string, b: string, margin: Margin): Analysis => ({
  test: 'not-less',
  measure,
  a: side(at, a),
  b: side(at, b),
  margin,
});
export const equal = (measure: string, at: At, a: string, b: string, margin: Margin): Analysis => ({
  test: 'equal',
  measure,
  a: side(at, a),
  b: side(at, b),
  margin,
});
export const above = (measure: string, at: At, method: string, bound: number): Analysis => ({
  test: 'above',
  measure,
  of: side(at, method),
  bound,
});
export const below = (measure: string, at: At, method: string, bound: number): Analysis => ({
  test: 'below',
  measure,
  of: side(at, method),
  bound,
});

export const [NONE, LL, READOUT, REP] = ['none', 'll-spectral', 'readout-spectral', 'rep-spectral'] as const;

/** rep-spectral against both others in one measure. */
export const overBoth = (measure: string, at: At): Analysis[] => [
  greater(measure, at, REP, NONE),
  greater(measure, at, REP, LL),
];

export const halfPoint: Margin = {
  size: 0.005,
  why: 'half a point, about what a test set of 10,000 images tells apart',
};
export const onePoint: Margin = { size: 0.01, why: 'one point, about what a test set of 5,000 images tells apart' };
export const fivePercent: Margin = {
  size: 0.05,
  relative: true,
  why: 'the gains that the paper calls slight are of this size',
};
export const tenPercent: Margin = {
  size: 0.1,
  relative: true,
  why: 'rep-spectral gains about this much over the unregularized network, so a smaller change is one that the paper calls none',
};
