import type { PlacedLayer } from './layout.js';

/**
 * Power iteration for σ of one layer y = xW of one member, on the main thread in float64 (paper, appendix C, algorithm 1):
 * u ← Wᵀv/‖·‖, v ← Wu/‖·‖, and at the end σ = ‖Wᵀv‖.
 *
 * @param rows networks one after the other, of which one begins at `row`
 * @param v where to start, of length in; need not be normalized; replaced by where it ends
 * @param steps at most so many
 * @param tolerance stop when v moved less than this, ‖Δv‖₂
 * @returns σ
 */
export function iterateLayer(
  rows: Float32Array,
  row: number,
  layer: PlacedLayer,
  v: Float32Array,
  steps: number,
  tolerance = 0,
): number {
  const from = row + layer.kernel;
  const u = new Float64Array(layer.out);
  const next = new Float64Array(layer.in);
  const at = Float64Array.from(v);
  if (!normalize(at)) return 0;
  for (let step = 0; ; step++) {
    u.fill(0);
    for (let i = 0; i < layer.in; i++) {
      for (let o = 0; o < layer.out; o++) u[o]! += rows[from + i * layer.out + o]! * at[i]!;
    }
    const sigma = normalize(u);
    if (step === steps || sigma === 0) {
      if (sigma > 0) v.set(at); // an all-zero kernel has no direction: the one it was given stays
      return sigma;
    }
    for (let i = 0; i < layer.in; i++) {
      let sum = 0;
      for (let o = 0; o < layer.out; o++) sum += rows[from + i * layer.out + o]! * u[o]!;
      next[i] = sum;
    }
    normalize(next);
    let moved = 0;
    for (let i = 0; i < layer.in; i++) moved += (next[i]! - at[i]!) ** 2;
    at.set(next);
    if (Math.sqrt(moved) < tolerance) steps = step + 1;
  }
}

/** Divides x by its length, unless that is 0. @returns the length */
function normalize(x: Float64Array): number {
  let square = 0;
  for (const value of x) square += value * value;
  const length = Math.sqrt(square);
  if (length > 0) for (let i = 0; i < x.length; i++) x[i]! /= length;
  return length;
}
