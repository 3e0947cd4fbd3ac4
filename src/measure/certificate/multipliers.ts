import type { Dense } from './crown.js';
import { combined } from './crown.js';
import { cholesky, gram, solveLower, solveUpper, triangleAbove } from './matrix.js';
import { type ActivationCurve, type Line, leastQuadratic, linesOf } from './relaxation.js';

/** base + Σ c_j φ(z_j + w_j·δ), of a network's first hidden layer, over ‖δ‖₂ ≤ ε. */
export interface FirstLayerSum {
  readonly base: number;
  readonly c: Float64Array;
  /** z at the center. */
  readonly sums: Float64Array;
  readonly epsilon: number;
}

/** The neurons that have multipliers of their own; all others have a line each. */
export interface Chosen {
  readonly curve: ActivationCurve;
  /** Their numbers in the layer. */
  readonly neurons: Int32Array;
  /** [neurons, columns], and Bᵀs of all others in `rest`. */
  readonly rows: Float64Array;
  readonly rest: Float64Array;
  readonly columns: number;
  readonly c: Float64Array;
  readonly z: Float64Array;
  readonly norms: Float64Array;
  /** base, with the constants of the lines of the others. */
  readonly constant: number;
  readonly epsilon: number;
}

/** s, κ and λ of `lagrangian`. */
export interface Multipliers {
  readonly s: Float64Array;
  readonly kappa: Float64Array;
  readonly lambda: number;
}

/**
 * Splits the sum: up to `most` neurons whose line loses most at the center have multipliers; the others are replaced by their
 * lines, which for a ReLU that does not change its sign is the function itself.
 *
 * @param most how many neurons, or which
 * @returns the problem, and the slopes of these neurons' lines
 */
export function chosen(
  { first }: Dense,
  curve: ActivationCurve,
  { base, c, sums, epsilon }: FirstLayerSum,
  most: number | Int32Array,
): { readonly problem: Chosen; readonly lines: Float64Array } {
  const n = c.length;
  const slopes = new Float64Array(n);
  const constants = new Float64Array(n);
  const losses = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    const rho = epsilon * first.norms[j]!;
    const lines = linesOf(curve, sums[j]! - rho, sums[j]! + rho);
    const { slope, offset }: Line = c[j]! > 0 ? lines.below : lines.above;
    slopes[j] = c[j]! * slope;
    constants[j] = slopes[j]! * sums[j]! + c[j]! * offset;
    losses[j] = c[j]! * curve.value(sums[j]!) - constants[j]!;
  }
  const neurons = typeof most === 'number' ? worst(losses, most) : most;
  const of = (values: Float64Array): Float64Array => Float64Array.from(neurons, (j) => values[j]!);
  const lines = of(slopes);
  const others = Float64Array.from(slopes);
  let constant = base + constants.reduce((sum, value) => sum + value, 0);
  for (const j of neurons) {
    others[j] = 0;
    constant -= constants[j]!;
  }
  // the rows of these neurons and what the others come to, in as few columns as there are rows
  const m = neurons.length;
  const { columns } = first;
  const all = new Float64Array((m + 1) * columns);
  neurons.forEach((j, i) => {
    all.set(first.rows.subarray(j * columns, (j + 1) * columns), i * columns);
  });
  all.set(combined(first, others), m * columns);
  const k = m + 1;
  const triangle = triangleAbove(gram(all, k, columns), k, columns);
  return {
    problem: {
      curve,
      neurons,
      rows: triangle.slice(0, m * k),
      rest: triangle.slice(m * k),
      columns: k,
      c: of(c),
      z: of(sums),
      norms: of(first.norms),
      constant,
      epsilon,
    },
    lines,
  };
}

/** Up to so many, the largest losses first, without those that are nothing beside the sum. */
function worst(losses: Float64Array, most: number): Int32Array {
  const sum = losses.reduce((sum, loss) => sum + loss, 0);
  const counted = Array.from(losses.keys()).filter((j) => losses[j]! > 1e-5 * sum);
  return Int32Array.from(counted.sort((a, b) => losses[b]! - losses[a]!).slice(0, most));
}

/**
 * A bound from below by Lagrangian duality: for t_j = w_j·δ and any multipliers s, κ,
 *
 *   Σ c_j φ(z_j + t_j) ≥ Σ min_{|t| ≤ ρ_j} [c_j φ(z_j + t) + κ_j/2 t² − s_j t] + min_δ [Σ s_j t_j − κ_j/2 t_j²],
 *
 * ρ_j = ε‖w_j‖. The first minimum is of one variable. The second, with g = Bᵀs + rest and M = λ − Bᵀdiag(κ)B ⪰ 0, is at
 * least −½ gᵀM⁻¹g − λε²/2. κ = 0 and the slopes of CROWN's lines for s give CROWN; κ lets the neurons share one ball, where lines let each
 * be at its worst. The best κ, s, λ give the semidefinite relaxation of the layer (Raghunathan et al. 2018) with the intervals.
 *
 * M is positive definite where the Cholesky decomposition of what is left of it, less more than its rounding, succeeds (Rump 2006); the
 * linear system may be solved inexactly, as its residual enters the bound.
 *
 * @returns −∞ where M is not positive definite
 */
export function lagrangian(problem: Chosen, { s, kappa, lambda }: Multipliers): number {
  const { curve, rows, rest, columns: k, c, z, norms, constant, epsilon } = problem;
  const m = c.length;
  let [sum, size] = [constant, Math.abs(constant)];
  for (let j = 0; j < m; j++) {
    const rho = epsilon * norms[j]!;
    const term = { c: c[j]!, z: z[j]!, s: s[j]!, kappa: kappa[j]!, rho };
    const { value } = leastQuadratic(curve, term, 1e-7);
    sum += value;
    size += (Math.abs(s[j]!) + Math.abs(c[j]!) + Math.abs(kappa[j]!) * rho) * rho + Math.abs(c[j]! * z[j]!);
  }
  const g = Float64Array.from(rest);
  for (let j = 0; j < m; j++) for (let i = 0; i < k; i++) g[i]! += s[j]! * rows[j * k + i]!;
  const matrix = reduced(rows, k, kappa, lambda);
  let trace = 0;
  for (let i = 0; i < k; i++) trace += lambda;
  for (let j = 0; j < m; j++) trace += Math.abs(kappa[j]!) * norms[j]! ** 2;
  const less = 1e-9 * lambda + 1e-12 * trace;
  for (let i = 0; i < k; i++) matrix[i * k + i]! -= less;
  const l = new Float64Array(k * k);
  if (!cholesky(matrix, k, l)) return Number.NEGATIVE_INFINITY;
  const y = Float64Array.from(g);
  solveLower(l, k, y);
  solveUpper(l, k, y);
  // My by the rows themselves
  const image = y.map((value) => lambda * value);
  for (let j = 0; j < m; j++) {
    let along = 0;
    for (let i = 0; i < k; i++) along += rows[j * k + i]! * y[i]!;
    for (let i = 0; i < k; i++) image[i]! -= kappa[j]! * along * rows[j * k + i]!;
  }
  let [gy, yMy, left] = [0, 0, 0];
  for (let i = 0; i < k; i++) {
    gy += g[i]! * y[i]!;
    yMy += image[i]! * y[i]!;
    left += (g[i]! - image[i]!) ** 2;
  }
  const quadratic = gy - yMy / 2 + left / (1e-9 * lambda);
  size += Math.abs(gy) + Math.abs(yMy) + lambda * epsilon ** 2;
  return sum - quadratic - (lambda * epsilon ** 2) / 2 - 1e-11 * size;
}

/** λ − Bᵀ diag(κ) B, of which the lower triangle is written. */
export function reduced(rows: Float64Array, k: number, kappa: Float64Array, lambda: number): Float64Array {
  const matrix = new Float64Array(k * k);
  for (let j = 0; j < kappa.length; j++) {
    const at = j * k;
    for (let a = 0; a < k; a++) {
      const value = kappa[j]! * rows[at + a]!;
      if (value === 0) continue;
      for (let b = 0, to = a * k; b <= a; b++) matrix[to + b]! -= value * rows[at + b]!;
    }
  }
  for (let i = 0; i < k; i++) matrix[i * k + i]! += lambda;
  return matrix;
}
