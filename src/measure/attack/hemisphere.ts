import type { Limits } from './box.js';
import { distance, HALVINGS, type SampleGroup } from './group.js';

/**
 * The schedule of the hemisphere variant as the authors run it (Ma et al. 2021, NeurIPS; constants of Pehlevan-Group/rep-spectral,
 * which the paper's appendix D leaves to "the hemisphere implementation").
 */
export const schedule = {
  /** T, iterations a sample (paper, appendix D). */
  iterations: 40,
  /** Evaluations for the normal at iteration i = 1, 2, …: ⌊100√i⌋, 10,000 at most. */
  evaluations: (i: number): number => Math.min(Math.floor(100 * Math.sqrt(i)), 10_000),
  /** A binary search ends when the interval is at most this part of its segment. */
  tolerance: 1e-5,
  /** Halvings until then: 2⁻¹⁷ < 10⁻⁵. */
  halvings: HALVINGS,
  /** Standard deviation of the noise that looks for a first adversarial point, in input units. */
  startDeviation: 0.5,
  /** Noisy points drawn for the start, at most. */
  draws: 5000,
  /** Images, predicted otherwise than the sample, that are looked at as starts. */
  images: 50,
  /** Halvings, at most, by which these are compared. */
  choosing: 10,
  /** Starts that are pursued, each of another adversarial class. */
  starts: 3,
  /** Iterations for which all are pursued: an eighth of T. */
  heats: (iterations: number): number => Math.ceil(iterations / 8),
  /** A hemisphere smaller than this is given up, and x_t moved away from x by `bump`. */
  smallestRadius: 1e-8,
  bump: 1e-4,
} as const;

/**
 * δ, the scale of the perturbations around x_t at iteration i: a tenth of the box at first, then ‖x_t − x‖ / d.
 *
 * @param distance ‖x_t − x‖₂, in input units
 * @param d number of input values
 */
export const perturbationScale = (i: number, { width }: Pick<Limits, 'width'>, distance: number, d: number): number =>
  i === 1 ? 0.1 * width : distance / d;

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

/** The candidate of a step of that radius from x_t, seen from x, in `into`. u: the normal, of length 1, towards the adversarial side. */
export type Candidate = (
  x: Float32Array,
  x_t: Float32Array,
  u: Float32Array,
  radius: number,
  into: Float32Array,
) => void;

/**
 * Replaces each wanted boundary point x_t by an adversarial point to search back from: the tangent point of the hemisphere of
 * radius ‖x − x_t‖/√i, or another `candidate`, clipped to the box, the radius halved until the point is adversarial (paper, appendix D,
 * step 2).
 *
 * Where R falls below 1e-8, x_t moved 1e-4 away from x is taken; where R or u is NaN, x_t. Differences from the authors' code:
 * R < 1e-8 ends the halving for the sample that it happens to and not for all that are left at once; the moved point is clipped
 * and must be adversarial too, else x_t stays.
 *
 * @param group whose points are the x_t; they are moved
 * @param normals u of each sample; those that are not wanted may be missing
 */
export function shrinkingStep(
  group: SampleGroup,
  normals: readonly (Float32Array | undefined)[],
  iteration: number,
  wanted: Uint8Array,
  candidate: Candidate = tangentPoint,
): void {
  const { points, size: n, d, task } = group;
  const { box } = task;
  const afford = (slot: number): boolean => group.afford(slot, schedule.halvings + 1); // the boundary is searched afterwards
  const radius = Float64Array.from(
    { length: n },
    (_, slot) => distance(task.originals, points, slot * d, d) / Math.sqrt(iteration),
  );
  const rows = points.slice();
  const pending = wanted.slice();

  for (;;) {
    let any = false;
    for (let slot = 0; slot < n; slot++) {
      if (pending[slot] !== 1) continue;
      const u = normals[slot]!;
      if (!(radius[slot]! > 0) || Number.isNaN(u[0]) || !afford(slot)) pending[slot] = 0;
      else {
        const [x, x_t, into] = [group.original(slot), group.row(points, slot), group.row(rows, slot)];
        if (radius[slot]! < schedule.smallestRadius) movedAway(x, x_t, into);
        else candidate(x, x_t, u, radius[slot]!, into);
        for (let i = 0; i < d; i++) into[i] = Math.min(Math.max(into[i]!, box.lower[i]!), box.upper[i]!);
        any = true;
      }
    }
    if (!any) return;
    const flipped = group.flips(rows, pending);
    for (let slot = 0; slot < n; slot++) {
      if (pending[slot] !== 1) continue;
      if (flipped[slot] === 1) group.row(points, slot).set(group.row(rows, slot));
      if (flipped[slot] === 1 || radius[slot]! < schedule.smallestRadius) pending[slot] = 0;
      radius[slot]! /= 2;
    }
  }
}

/** x_t + 1e-4 (x_t − x)/‖x_t − x‖ in `into`. */
function movedAway(x: Float32Array, x_t: Float32Array, into: Float32Array): void {
  const length = distance(x, x_t);
  for (let i = 0; i < x.length; i++) into[i] = x_t[i]! + (schedule.bump * (x_t[i]! - x[i]!)) / length;
}
