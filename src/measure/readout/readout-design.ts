/**
 * The features of the training samples as a matrix X, [samples, width], that stays where it is: only products with it come and
 * go, in float64. What takes long comes in slices, between which the run may breathe.
 */
export interface Design {
  readonly samples: number;
  readonly width: number;
  /**
   * Goes through X block by block: hands the rows' products Z = X_b Wᵀ to `turn`, which may put others in their place, and adds
   * what it leaves there, R, to the gradient: G ← G + Rᵀ X_b.
   *
   * @param coefficients W, [classes, width]
   * @param turn is given Z, [rows, classes], and the number of the first row
   * @param gradient G, [classes, width]; without it the second product is not made
   */
  pass(
    coefficients: Float64Array,
    turn: (products: Float64Array, first: number) => void,
    gradient?: Float64Array,
  ): Generator<void, void>;
  /**
   * M = I + Σ_n w_n x_n x_nᵀ over the rows with the largest weights, as what solves with it. None where it would cost too much.
   *
   * @param weights w, not negative, one a sample
   */
  gram?(weights: Float64Array): Generator<void, Gram>;
  dispose(): void;
}

export interface Gram {
  /** Σ_n w_n x_n, [width], and Σ_n w_n, over the same rows. */
  readonly sum: Float64Array;
  readonly total: number;
  /** B M⁻¹ for B of [classes, width]. */
  solve(rows: Float64Array): Float64Array;
  dispose(): void;
}

/**
 * The rows that `gram` takes, in order: those with the largest weights, twice as many as there are columns; which of many equal
 * ones does not depend on where they stand.
 */
export function heaviest(weights: Float64Array, width: number): Uint32Array {
  const scattered = (n: number): number => Math.imul(n, 2654435761) >>> 0;
  return Uint32Array.from({ length: weights.length }, (_, n) => n)
    .sort((a, b) => weights[b]! - weights[a]! || scattered(a) - scattered(b))
    .slice(0, 2 * (width + 1))
    .sort();
}
