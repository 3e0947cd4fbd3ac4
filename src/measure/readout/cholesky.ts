/**
 * A = L Lᵀ for a positive definite A of [n, n], of which only the lower triangle is read; it is overwritten with L.
 *
 * @returns solves A x = b, x in the place of b
 */
export function cholesky(A: Float64Array, n: number): (b: Float64Array) => void {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = A[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= A[i * n + k]! * A[j * n + k]!;
      A[i * n + j] = i === j ? Math.sqrt(sum) : sum / A[j * n + j]!;
    }
  }
  return (b) => {
    for (let i = 0; i < n; i++) {
      let sum = b[i]!;
      for (let k = 0; k < i; k++) sum -= A[i * n + k]! * b[k]!;
      b[i] = sum / A[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = b[i]!;
      for (let k = i + 1; k < n; k++) sum -= A[k * n + i]! * b[k]!;
      b[i] = sum / A[i * n + i]!;
    }
  };
}
