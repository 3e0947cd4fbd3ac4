import type { ActivationName } from '../../learn/model/activation.js';

/** An activation φ in float64, with the signs of its curvature: what linear and quadratic bounds on it are made from. */
export interface ActivationCurve {
  value(z: number): number;
  slope(z: number): number;
  /** The points where φ'' changes its sign, rising. */
  readonly inflections: readonly number[];
  /** Whether φ is convex before the first of them; it is so in every second piece from there. */
  readonly convexFirst: boolean;
  /** The least and the largest φ''; none of a curve with a kink. */
  readonly curvature?: readonly [least: number, largest: number];
  /** max |φ'| */
  readonly lipschitz: number;
  /** An evaluation in float32 is off by at most this part of max(|z|, 1). */
  readonly rounding: number;
}

/**
 * The cumulative normal distribution in float64, off by less than 10⁻¹⁴: for |z| < 5 by the series n(z) Σ z^(2k+1)/(1·3·5 ⋯ (2k+1)),
 * whose terms have one sign; beyond by the continued fraction of its tail (Abramowitz and Stegun, 26.2.11 and 26.2.14).
 */
export function cumulative(z: number): number {
  const a = Math.abs(z);
  const n = density(z);
  let tail: number;
  if (a < 5) {
    let [term, sum] = [a, a];
    for (let k = 3; term > 1e-17 * sum; k += 2) {
      term *= (a * a) / k;
      sum += term;
    }
    tail = 0.5 - n * sum;
  } else {
    let below = a;
    for (let k = 40; k >= 1; k--) below = a + k / below;
    tail = n / below;
  }
  return z > 0 ? 1 - tail : tail;
}

const density = (z: number): number => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);

const logistic = (z: number): number => 1 / (1 + Math.exp(-z));

/** Largest |φ''| of tanh: 4/(3√3). */
const TANH = 4 / (3 * Math.sqrt(3));

const FLOAT32 = 1e-6;

/** Every activation that a model can have. φ'' of GELU is (2 − z²) n(z): at most φ''(0), at least φ''(±2). */
export const curves: Readonly<Record<ActivationName, ActivationCurve>> = {
  relu: {
    value: (z) => Math.max(z, 0),
    slope: (z) => (z > 0 ? 1 : 0),
    inflections: [],
    convexFirst: true,
    lipschitz: 1,
    rounding: 0,
  },
  gelu: {
    value: (z) => z * cumulative(z),
    slope: (z) => cumulative(z) + z * density(z),
    inflections: [-Math.SQRT2, Math.SQRT2],
    convexFirst: false,
    curvature: [-2 * density(2), 2 * density(0)],
    lipschitz: 1.129,
    rounding: FLOAT32,
  },
  tanh: {
    value: Math.tanh,
    slope: (z) => 1 - Math.tanh(z) ** 2,
    inflections: [0],
    convexFirst: true,
    curvature: [-TANH, TANH],
    lipschitz: 1,
    rounding: FLOAT32,
  },
  sigmoid: {
    value: logistic,
    slope: (z) => logistic(z) * (1 - logistic(z)),
    inflections: [0],
    convexFirst: true,
    curvature: [-TANH / 8, TANH / 8],
    lipschitz: 0.25,
    rounding: FLOAT32,
  },
};

/** slope · z + offset */
export interface Line {
  readonly slope: number;
  readonly offset: number;
}

/** A line below φ on an interval, and one above. */
export interface Lines {
  readonly below: Line;
  readonly above: Line;
}

/**
 * Lines below and above φ on [low, high] (Zhang et al. 2018, CROWN).
 *
 * ReLU: the secant above; below 0 or z, whichever leaves the smaller area. Any other φ: the slopes of its convex and concave envelope in
 * the middle, from samples, which is a tangent there, a secant, or a tangent through an end; whatever the slope, the offset is the
 * extreme of φ(z) − slope · z (`extreme`), so that the line holds on all of the interval.
 */
export function linesOf(curve: ActivationCurve, low: number, high: number): Lines {
  if (curve === curves.relu) {
    if (high <= 0) return { below: ZERO, above: ZERO };
    if (low >= 0) return { below: SAME, above: SAME };
    const slope = high / (high - low);
    return { below: high > -low ? SAME : ZERO, above: { slope, offset: -slope * low } };
  }
  if (!(high - low > 1e-9)) {
    const slope = curve.slope((low + high) / 2);
    return { below: line(curve, slope, low, high, 1), above: line(curve, slope, low, high, -1) };
  }
  return {
    below: line(curve, envelopeSlope(curve, low, high, 1), low, high, 1),
    above: line(curve, envelopeSlope(curve, low, high, -1), low, high, -1),
  };
}

const FINE = 7; // a grid has 2⁷ to 2⁸ steps in an interval
const FAR = 2 ** 20; // steps from 0 beyond which no lines are kept
const KEPT = 2 ** 19; // lines of a curve that are kept, at most

/** Lines of intervals on their grids, by curve. */
const kept = new Map<ActivationCurve, Map<number, Lines>>();

/**
 * The same on the interval rounded outwards to a grid of powers of two: lines that hold there hold on the interval itself, and they are kept,
 * for they cost a hundred times as much to make as to find. Those of ReLU are made.
 */
export function gridLines(curve: ActivationCurve, low: number, high: number): Lines {
  const exponent = Math.floor(Math.log2(high - low)) - FINE;
  const step = 2 ** exponent;
  const [from, to] = [Math.floor(low / step), Math.ceil(high / step)];
  if (curve === curves.relu || !(Math.abs(exponent) < 60 && Math.abs(from) < FAR)) return linesOf(curve, low, high);
  const own = kept.get(curve) ?? new Map<number, Lines>();
  kept.set(curve, own);
  const key = ((exponent + 64) * 2 * FAR + from + FAR) * 2 ** (FINE + 2) + to - from;
  const known = own.get(key);
  if (known !== undefined) return known;
  const made = linesOf(curve, from * step, to * step);
  if (own.size < KEPT) own.set(key, made);
  return made;
}

const ZERO: Line = { slope: 0, offset: 0 };
const SAME: Line = { slope: 1, offset: 0 };

/** @param side 1 for a line below, −1 for one above */
export const line = (curve: ActivationCurve, slope: number, low: number, high: number, side: 1 | -1): Line => ({
  slope,
  offset: side * extreme(curve, slope, low, high, side),
});

const SAMPLES = 16; // an even number: the middle is one of them

/** The slope in the middle of the lower (side 1) or upper (side −1) envelope of samples of φ. */
function envelopeSlope(curve: ActivationCurve, low: number, high: number, side: 1 | -1): number {
  const half = SAMPLES / 2;
  const step = (high - low) / SAMPLES;
  const values = Array.from({ length: SAMPLES + 1 }, (_, i) => side * curve.value(low + i * step));
  // of all chords over the middle, the one that is lowest there
  let [best, slope, width] = [values[half]!, curve.slope((low + high) / 2), 0];
  for (let i = 0; i < half; i++) {
    for (let j = half + 1; j <= SAMPLES; j++) {
      const rise = (values[j]! - values[i]!) / (j - i);
      const middle = values[i]! + rise * (half - i);
      if (middle < best || (middle === best && j - i > width)) {
        best = middle;
        slope = (side * rise) / step;
        width = j - i;
      }
    }
  }
  return slope;
}

/**
 * The least value of side · (φ(z) − slope · z) on [low, high], from below: at an end of the interval or of a piece, or in a piece where
 * it is convex at the point where φ' = slope, which bisection finds to 10⁻⁵ of the piece; what the tangent falls to in there is subtracted.
 */
export function extreme(curve: ActivationCurve, slope: number, low: number, high: number, side: 1 | -1): number {
  const at = (z: number): number => side * (curve.value(z) - slope * z);
  let least = Math.min(at(low), at(high));
  const ends = [Number.NEGATIVE_INFINITY, ...curve.inflections, Number.POSITIVE_INFINITY];
  for (let piece = 0; piece + 1 < ends.length; piece++) {
    let [a, b] = [Math.max(low, ends[piece]!), Math.min(high, ends[piece + 1]!)];
    if (a >= b) continue;
    least = Math.min(least, at(a), at(b));
    if ((side === 1) !== (curve.convexFirst === (piece % 2 === 0))) continue;
    for (let i = 0; i < 17; i++) {
      const middle = (a + b) / 2;
      if (side * (curve.slope(middle) - slope) < 0) a = middle;
      else b = middle;
    }
    // convex: nowhere below the tangents at a, which falls, and at b, which rises
    const fall = Math.max(0, -side * (curve.slope(a) - slope));
    least = Math.min(least, at(a) - fall * (b - a), at(b));
  }
  return least;
}

/**
 * The least c φ(z₀ + t) + κ/2 t² − s t over |t| ≤ ρ, from below.
 *
 * ReLU: of two quadratics, each on its interval. Any other φ: on an interval of length h a function with f'' ≤ K lies at most K h²/8
 * below its chord; intervals that may hold the least value are halved until this is less than `tolerance`.
 */
export function leastQuadratic(
  curve: ActivationCurve,
  { c, z, s, kappa, rho }: Term,
  tolerance: number,
): { readonly value: number; readonly at: number } {
  if (curve === curves.relu) {
    const kink = Math.max(-rho, Math.min(rho, -z));
    const [left, right] = [parabola(kappa, -s, -rho, kink), parabola(kappa, c - s, kink, rho)];
    const [before, after] = [left.value, right.value + c * z];
    return -z > rho || (-z >= -rho && before < after) ? left : { value: after, at: right.at };
  }
  const [least, largest] = curve.curvature!;
  const K = Math.max(0, kappa + Math.max(c * least, c * largest));
  const f = (t: number): number => c * curve.value(z + t) + t * ((kappa / 2) * t - s);
  const pending: [a: number, fa: number, b: number, fb: number][] = [];
  const first = 8;
  let [value, at] = [f(-rho), -rho];
  for (let i = 0, [a, fa] = [-rho, value]; i < first; i++) {
    const b = i + 1 === first ? rho : -rho + (2 * rho * (i + 1)) / first;
    const fb = f(b);
    if (fb < value) [value, at] = [fb, b];
    pending.push([a, fa, b, fb]);
    [a, fa] = [b, fb];
  }
  let bound = value;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [a, fa, b, fb] = next;
    const below = chordLess(fa, fb, (K * (b - a) ** 2) / 8);
    if (below >= value - tolerance) {
      bound = Math.min(bound, below);
      continue;
    }
    const m = (a + b) / 2;
    const fm = f(m);
    if (fm < value) [value, at] = [fm, m];
    pending.push([a, fa, m, fm], [m, fm, b, fb]);
  }
  return { value: Math.min(bound, value), at };
}

export interface Term {
  readonly c: number;
  readonly z: number;
  readonly s: number;
  readonly kappa: number;
  readonly rho: number;
}

/** The least chord(x) − 4 d x (1 − x) over x from 0 to 1: of a function that is at most d below its chord, as a parabola. */
function chordLess(fa: number, fb: number, d: number): number {
  const rise = fb - fa;
  if (d <= 0 || Math.abs(rise) >= 4 * d) return Math.min(fa, fb);
  const x = 0.5 - rise / (8 * d);
  return fa + rise * x - 4 * d * x * (1 - x);
}

/** The least κ/2 t² + b t on [low, high]. */
function parabola(
  kappa: number,
  b: number,
  low: number,
  high: number,
): { readonly value: number; readonly at: number } {
  const f = (t: number): number => t * ((kappa / 2) * t + b);
  const ends = f(low) <= f(high) ? low : high;
  const vertex = kappa > 0 ? Math.max(low, Math.min(high, -b / kappa)) : ends;
  const at = f(vertex) < f(ends) ? vertex : ends;
  return { value: f(at), at };
}
