import type { Limits } from './box.js';
import { distance, tangentPoint } from './geometry.js';
import { schedule } from './schedule.js';
import { flips, type Searched } from './search.js';

/**
 * Replaces each wanted boundary point x_t by an adversarial point to search back from: the tangent point of the hemisphere of
 * radius ‖x − x_t‖/√i, clipped to the box, the radius halved until the point is adversarial (paper, appendix D, step 2).
 *
 * Where R falls below 1e-8, x_t moved 1e-4 away from x is taken; where R or u is NaN, x_t. Differences from the authors' code:
 * R < 1e-8 ends the halving for the sample that it happens to and not for all that are left at once; the moved point is clipped
 * and must be adversarial too, else x_t stays.
 *
 * @param points x_t, [group, d]; changed in place
 * @param normals u of each sample; those that are not wanted may be missing
 * @param afford may this sample make one more query here?
 */
export function tangentStep(
  group: Searched,
  points: Float32Array,
  normals: readonly (Float32Array | undefined)[],
  iteration: number,
  box: Limits,
  wanted: Uint8Array,
  afford: (slot: number) => boolean,
): void {
  const n = wanted.length;
  const d = points.length / n;
  const row = (values: Float32Array, slot: number): Float32Array => values.subarray(slot * d, (slot + 1) * d);
  const radius = Float64Array.from(
    { length: n },
    (_, slot) => distance(group.originals, points, slot * d, d) / Math.sqrt(iteration),
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
        const [x, x_t, candidate] = [row(group.originals, slot), row(points, slot), row(rows, slot)];
        if (radius[slot]! < schedule.smallestRadius) movedAway(x, x_t, candidate);
        else tangentPoint(x, x_t, u, radius[slot]!, candidate);
        for (let i = 0; i < d; i++) candidate[i] = Math.min(Math.max(candidate[i]!, box.lower[i]!), box.upper[i]!);
        any = true;
      }
    }
    if (!any) return;
    const flipped = flips(group, rows, pending);
    for (let slot = 0; slot < n; slot++) {
      if (pending[slot] !== 1) continue;
      if (flipped[slot] === 1) row(points, slot).set(row(rows, slot));
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
