/** What is minimized, in float64. Its work may take several slices: between two of them the run may breathe. */
export interface Problem {
  /** Writes the gradient at x and returns the value. */
  evaluate(x: Float64Array, gradient: Float64Array): Generator<void, number>;
  /** Builds what stands for the inverse of the Hessian at x: a positive definite linear map, which may be rough. */
  precondition?(x: Float64Array): Generator<void, LinearMap>;
}

export type LinearMap = (vector: Float64Array) => Float64Array;

/** Where a minimization stands, after a whole number of iterations. Plain data, never changed. */
export type Minimum = {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
  /** The newest steps s = Δx and y = Δ∇f, oldest first. */
  readonly steps: readonly Float64Array[];
  readonly changes: readonly Float64Array[];
  readonly iterations: number;
  /** Where the preconditioner was built, and at which iteration. */
  readonly anchor: Float64Array;
  readonly anchored: number;
  /** `converged`: the gradient is within the tolerance. `stalled`: float64 tells no better point. `iterations`: no more are allowed. */
  readonly ended: 'no' | 'converged' | 'stalled' | 'iterations';
};
