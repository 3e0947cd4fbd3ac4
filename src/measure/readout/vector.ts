/** aᵀb, in float64. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** ‖a‖₂. */
export const norm = (a: Float64Array): number => Math.sqrt(dot(a, a));

/** ‖a‖∞; NaN where a holds one. */
export function largest(a: Float64Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const value = Math.abs(a[i]!);
    if (!(value <= most)) most = value;
  }
  return most;
}

/** a ← a + factor · b. */
export function add(a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i] = a[i]! + factor * b[i]!;
}
