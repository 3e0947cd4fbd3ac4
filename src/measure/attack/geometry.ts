/** ‖a − b‖₂ of the vectors of length `d` that begin at `offset` in both. */
export function distance(a: Float32Array, b: Float32Array, offset = 0, d = a.length): number {
  let sum = 0;
  for (let i = offset; i < offset + d; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

const EPSILON = 2 ** -23; // from 1 to the next float32

/**
 * The tangent point k of the hemisphere around x_b, seen from x (paper, appendix D, step 2): in the plane of x, x_b and the
 * normal u, the line from x through k touches the hemisphere.
 *
 * With o = x − x_b: sin α = −o·u/‖o‖, cos β = R/‖o‖, γ = β − α, w = o − (o·u)u,
 * k = x_b + R cos γ · w/‖w‖ + R sin γ · u. Not clipped. Where ‖o‖ = 0 the result is NaN.
 *
 * Where u is colinear with o there is no plane, and w is what rounding left. x, x_b and u are float32, so w is known to some
 * ε (‖x‖ + ‖x_b‖ + 4‖o‖) at best, ε = 2⁻²³; one that is no longer counts as none, and k lies on the line through x and x_b.
 * (The authors divide by max(‖w‖, 1e-8), which takes rounding for a direction as soon as ‖o‖ is about 0.1.)
 *
 * @param normal u, of length 1, towards the adversarial side
 * @param radius R, in input units
 * @returns k in `into`
 */
export function tangentPoint(
  x: Float32Array,
  boundary: Float32Array,
  normal: Float32Array,
  radius: number,
  into: Float32Array = new Float32Array(x.length),
): Float32Array {
  let oo = 0;
  let ou = 0;
  let xx = 0;
  let bb = 0;
  for (let i = 0; i < x.length; i++) {
    const o = x[i]! - boundary[i]!;
    oo += o * o;
    ou += o * normal[i]!;
    xx += x[i]! ** 2;
    bb += boundary[i]! ** 2;
  }
  let ww = 0;
  for (let i = 0; i < x.length; i++) ww += (x[i]! - boundary[i]! - ou * normal[i]!) ** 2;

  const length = Math.sqrt(oo);
  const sinAlpha = -ou / length;
  const cosAlpha = Math.sqrt(Math.max(0, 1 - sinAlpha ** 2));
  const cosBeta = radius / length;
  const sinBeta = Math.sqrt(Math.max(0, 1 - cosBeta ** 2));
  const rounding = EPSILON * (Math.sqrt(xx) + Math.sqrt(bb) + 4 * length);
  const colinear = Math.sqrt(ww) <= rounding;
  const alongW = colinear ? 0 : (radius * (cosBeta * cosAlpha + sinBeta * sinAlpha)) / Math.sqrt(ww); // R cos γ / ‖w‖
  const alongU = radius * (sinBeta * cosAlpha - cosBeta * sinAlpha); // R sin γ
  for (let i = 0; i < x.length; i++) {
    const w = x[i]! - boundary[i]! - ou * normal[i]!;
    into[i] = boundary[i]! + alongW * w + alongU * normal[i]!;
  }
  return into;
}
