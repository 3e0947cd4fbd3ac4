/** Dense float64 matrices, row by row, on the main thread: of some hundred rows. */

/** 2⁻⁵³ */
export const UNIT = 2 ** -53;

/**
 * The lower triangle L with LLᵀ = A, for a symmetric matrix of which the lower triangle is read.
 *
 * @param into [n, n], the upper triangle of which is not written
 * @returns false where A is not positive definite
 */
export function cholesky(a: Float64Array, n: number, into: Float64Array): boolean {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      const [row, other] = [i * n, j * n];
      for (let k = 0; k < j; k++) sum -= into[row + k]! * into[other + k]!;
      if (i !== j) into[row + j] = sum / into[other + j]!;
      else if (sum > 0) into[row + i] = Math.sqrt(sum);
      else return false;
    }
  }
  return true;
}

/** x ← L⁻¹x */
export function solveLower(l: Float64Array, n: number, x: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = x[i]!;
    for (let k = 0; k < i; k++) sum -= l[i * n + k]! * x[k]!;
    x[i] = sum / l[i * n + i]!;
  }
}

/** x ← L⁻ᵀx */
export function solveUpper(l: Float64Array, n: number, x: Float64Array): void {
  for (let i = n - 1; i >= 0; i--) {
    x[i]! /= l[i * n + i]!;
    const value = x[i]!;
    for (let k = 0; k < i; k++) x[k]! -= l[i * n + k]! * value;
  }
}

/** The Gram matrix AAᵀ of [rows, columns], its lower triangle and its mirror image. */
export function gram(a: Float64Array, rows: number, columns: number): Float64Array {
  const g = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0, at = i * columns, to = j * columns; k < columns; k++) sum += a[at + k]! * a[to + k]!;
      g[i * rows + j] = sum;
      g[j * rows + i] = sum;
    }
  }
  return g;
}

/**
 * A triangle L with LLᵀ ⪰ G for a Gram matrix that was rounded: its diagonal is raised by more than the errors, of G, whose entries are
 * sums of `terms` products, and of the decomposition.
 */
export function triangleAbove(g: Float64Array, n: number, terms: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < n; i++) trace += g[i * n + i]!;
  const raised = Float64Array.from(g);
  const by = 4 * (terms + n + 8) * UNIT * trace + Number.MIN_VALUE;
  for (let i = 0; i < n; i++) raised[i * n + i]! += by;
  const l = new Float64Array(n * n);
  if (!cholesky(raised, n, l)) l.fill(Number.NaN);
  return l;
}

export function norm(x: Float64Array): number {
  let sum = 0;
  for (const value of x) sum += value * value;
  return Math.sqrt(sum);
}
