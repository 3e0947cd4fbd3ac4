import { cholesky, solveLower, solveUpper } from './matrix.js';
import { type Chosen, type Multipliers, reduced } from './multipliers.js';
import { curves } from './relaxation.js';

/** What an interior-point step needs of a bound at one place. */
interface Place {
  readonly value: number;
  readonly l: Float64Array;
  readonly y: Float64Array;
  readonly p: Float64Array;
  /** Moments of t, by neuron: mean, mean of t²/2, and the covariances of the two. */
  readonly moments: Float64Array;
}

const POINTS = 17;

/**
 * Multipliers near the best of `lagrangian`, by Newton's method on a smooth concave function that tends to it with its temperature τ:
 * a soft minimum over sampled t in place of each minimum of one variable, and τ log det M, which keeps M positive definite.
 *
 * What it finds is only as good as it is: any multipliers give a bound.
 *
 * @param from the first multipliers, with M positive definite
 * @param stop asked behind every temperature, with the multipliers found so far
 */
export function ascend(
  problem: Chosen,
  from: Multipliers,
  temperatures: readonly number[],
  stop: (found: Multipliers) => boolean,
): Multipliers {
  const m = problem.c.length;
  const samples = samplesOf(problem);
  const size = 2 * m + 1;
  let at = from;
  for (const tau of temperatures) {
    let place = placeAt(problem, samples, at, tau);
    if (place === undefined) return at;
    for (let step = 0; step < 12; step++) {
      const [gradient, hessian] = derivatives(problem, at, place, tau);
      const direction = Float64Array.from(gradient);
      const l = new Float64Array(size * size);
      if (!cholesky(hessian, size, l)) break;
      solveLower(l, size, direction);
      solveUpper(l, size, direction);
      let decrement = 0;
      for (let i = 0; i < size; i++) decrement += gradient[i]! * direction[i]!;
      if (!(decrement > 0.2 * tau)) break;
      let moved: Multipliers | undefined;
      let reached: Place | undefined;
      for (let length = 1; length > 1e-6; length /= 2) {
        const next: Multipliers = {
          s: at.s.map((value, j) => value + length * direction[j]!),
          kappa: at.kappa.map((value, j) => value + length * direction[m + j]!),
          lambda: at.lambda + length * direction[2 * m]!,
        };
        reached = placeAt(problem, samples, next, tau);
        if (reached !== undefined && reached.value >= place.value + 0.01 * length * decrement) {
          moved = next;
          break;
        }
      }
      if (moved === undefined) break;
      [at, place] = [moved, reached!];
    }
    if (stop(at)) break;
  }
  return at;
}

/** Points t on each neuron's interval, its kink among them, and c φ(z + t) there. */
function samplesOf({ curve, c, z, norms, epsilon }: Chosen): {
  readonly t: Float64Array;
  readonly values: Float64Array;
} {
  const each = POINTS + (curve === curves.relu ? 1 : 0);
  const t = new Float64Array(c.length * each);
  const values = new Float64Array(c.length * each);
  for (let j = 0; j < c.length; j++) {
    const rho = epsilon * norms[j]!;
    for (let i = 0; i < each; i++) {
      const at = i < POINTS ? rho * ((2 * i) / (POINTS - 1) - 1) : Math.max(-rho, Math.min(rho, -z[j]!));
      t[j * each + i] = at;
      values[j * each + i] = c[j]! * curve.value(z[j]! + at);
    }
  }
  return { t, values };
}

function placeAt(
  { rows, rest, columns: k, c, epsilon }: Chosen,
  { t, values }: ReturnType<typeof samplesOf>,
  { s, kappa, lambda }: Multipliers,
  tau: number,
): Place | undefined {
  const m = c.length;
  const each = t.length / Math.max(1, m);
  const l = new Float64Array(k * k);
  if (!(lambda > 0) || !cholesky(reduced(rows, k, kappa, lambda), k, l)) return undefined;
  let value = (-lambda * epsilon ** 2) / 2;
  for (let i = 0; i < k; i++) value += 2 * tau * Math.log(l[i * k + i]!);

  const moments = new Float64Array(5 * m);
  const f = new Float64Array(each);
  for (let j = 0; j < m; j++) {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < each; i++) {
      const x = t[j * each + i]!;
      f[i] = values[j * each + i]! + x * ((kappa[j]! / 2) * x - s[j]!);
      if (f[i]! < least) least = f[i]!;
    }
    let [total, a, b, aa, ab, bb] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < each; i++) {
      const by = (f[i]! - least) / tau;
      if (by > 40) continue;
      const weight = Math.exp(-by);
      const x = t[j * each + i]!;
      const half = (x * x) / 2;
      total += weight;
      a += weight * x;
      b += weight * half;
      aa += weight * x * x;
      ab += weight * x * half;
      bb += weight * half * half;
    }
    value += least - tau * Math.log(total);
    [a, b] = [a / total, b / total];
    moments.set([a, b, aa / total - a * a, ab / total - a * b, bb / total - b * b], 5 * j);
  }

  const y = Float64Array.from(rest);
  for (let j = 0; j < m; j++) for (let i = 0; i < k; i++) y[i]! += s[j]! * rows[j * k + i]!;
  solveLower(l, k, y);
  for (const part of y) value -= part ** 2 / 2;
  solveUpper(l, k, y);
  const p = new Float64Array(m);
  for (let j = 0; j < m; j++) {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += rows[j * k + i]! * y[i]!;
    p[j] = sum;
  }
  return { value, l, y, p, moments };
}

/** The gradient with respect to (s, κ, λ), and the negative of the second derivatives, its lower triangle. */
function derivatives(
  { rows, columns: k, c, epsilon }: Chosen,
  _: Multipliers,
  { l, y, p, moments }: Place,
  tau: number,
): [Float64Array, Float64Array] {
  const m = c.length;
  const size = 2 * m + 1;
  // X = L⁻¹Bᵀ and Z = M⁻¹Bᵀ, a row for each neuron
  const x = Float64Array.from(rows);
  for (let j = 0; j < m; j++) solveLower(l, k, x.subarray(j * k, (j + 1) * k));
  const z = Float64Array.from(x);
  for (let j = 0; j < m; j++) solveUpper(l, k, z.subarray(j * k, (j + 1) * k));
  const inverse = inverseOf(l, k);
  const [traceOne, traceTwo] = [frobenius(inverse), frobenius(outerOf(inverse, k))];
  const w = Float64Array.from(y);
  solveLower(l, k, w);
  const [yMy, yy] = [frobenius(w), frobenius(y)];
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  const last = 2 * m;
  for (let j = 0; j < m; j++) {
    for (let o = 0; o <= j; o++) {
      let n = 0;
      for (let i = 0; i < k; i++) n += x[j * k + i]! * x[o * k + i]!;
      hessian[j * size + o] = n;
      hessian[(m + j) * size + o] = p[j]! * n;
      hessian[(m + o) * size + j] = p[o]! * n;
      hessian[(m + j) * size + m + o] = p[j]! * n * p[o]! + tau * n * n;
    }
    const n = hessian[j * size + j]!;
    let [q, twice] = [0, 0];
    for (let i = 0; i < k; i++) {
      q += z[j * k + i]! * y[i]!;
      twice += z[j * k + i]! ** 2;
    }
    const [a, b, aa, ab, bb] = moments.subarray(5 * j, 5 * j + 5) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    gradient[j] = -a - p[j]!;
    gradient[m + j] = b - p[j]! ** 2 / 2 - tau * n;
    hessian[j * size + j]! += aa / tau + 1e-12;
    hessian[(m + j) * size + j]! -= ab / tau;
    hessian[(m + j) * size + m + j]! += bb / tau + 1e-12;
    hessian[last * size + j] = -q;
    hessian[last * size + m + j] = -p[j]! * q - tau * twice;
  }
  gradient[last] = yy / 2 - epsilon ** 2 / 2 + tau * traceOne;
  hessian[last * size + last] = yMy + tau * traceTwo;
  return [gradient, hessian];
}

/** L⁻¹ of a lower triangle. */
function inverseOf(l: Float64Array, k: number): Float64Array {
  const inverse = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    const to = i * k;
    inverse[to + i] = 1;
    for (let j = 0; j < i; j++) {
      const by = l[to + j]!;
      for (let c = 0, from = j * k; c <= j; c++) inverse[to + c]! -= by * inverse[from + c]!;
    }
    const pivot = l[to + i]!;
    for (let c = 0; c <= i; c++) inverse[to + c]! /= pivot;
  }
  return inverse;
}

/** AAᵀ of a lower triangle, which has the Frobenius norm of AᵀA. */
function outerOf(a: Float64Array, k: number): Float64Array {
  const product = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let c = 0; c <= j; c++) sum += a[i * k + c]! * a[j * k + c]!;
      product[i * k + j] = sum;
      product[j * k + i] = sum;
    }
  }
  return product;
}

/** The sum of the squares. */
function frobenius(x: Float64Array): number {
  let sum = 0;
  for (const value of x) sum += value * value;
  return sum;
}
