import type { Model, Weights } from '../../learn/model/model-model.js';
import { ask } from '../oracle.js';

/** How finely the boundary is looked for around one sample of two values. */
export interface Scan {
  /** Rays, at equal angles. */
  readonly directions: number;
  /** From ring to ring, in input units: a strip of another class that is narrower than this can be stepped over. */
  readonly step: number;
  /** Length of the interval on a ray that the boundary is left in, in input units. */
  readonly tolerance: number;
}

/** What one model says around one sample. */
export interface Around {
  readonly model: Model;
  readonly weights: Weights;
  readonly sample: Float32Array;
  /** Class of the sample itself. */
  readonly predicted: number;
}

/** Directions of length 1, x and y by turns. */
export function unitVectors(angles: ArrayLike<number>): Float64Array {
  const vectors = new Float64Array(2 * angles.length);
  for (let i = 0; i < angles.length; i++) {
    vectors[2 * i] = Math.cos(angles[i]!);
    vectors[2 * i + 1] = Math.sin(angles[i]!);
  }
  return vectors;
}

/** Classes on whole rings around the sample: at each radius, in each direction. */
export function classesOnRings(
  { model, weights, sample }: Around,
  vectors: Float64Array,
  radii: readonly number[],
): Int32Array {
  const rows = new Float32Array(vectors.length * radii.length);
  let at = 0;
  for (const radius of radii) {
    for (let i = 0; i < vectors.length; i += 2) {
      rows[at++] = sample[0]! + radius * vectors[i]!;
      rows[at++] = sample[1]! + radius * vectors[i + 1]!;
    }
  }
  return ask(model, weights, rows, rows.length / 2);
}

/** Classes at the points (angle, radius) around the sample. */
function classesAt({ model, weights, sample }: Around, angles: readonly number[], radii: Float64Array): Int32Array {
  const vectors = unitVectors(angles);
  const rows = Float32Array.from(vectors, (value, i) => sample[i & 1]! + radii[i >> 1]! * value);
  return ask(model, weights, rows, angles.length);
}

/**
 * The distance of the boundary, once some of the rays are known to have crossed it between `inner` and `outer`: each is halved down to
 * the tolerance, then twice the rays about the nearest one are made fifty times as dense and halved again, for where the boundary
 * has a corner the nearest point lies between rays.
 *
 * @param crossed angles of rays whose point at `outer` is of another class
 * @returns an upper end: the point at that distance is of another class; NaN where a point on the way has NaN logits
 */
export function nearestCrossing(
  around: Around,
  crossed: readonly number[],
  inner: number,
  outer: number,
  { directions, tolerance }: Scan,
): number {
  let [distance, angle] = halved(around, crossed, inner, outer, tolerance);
  if (Number.isNaN(distance)) return distance;
  let spacing = (2 * Math.PI) / directions;
  for (let round = 0; round < 2; round++) {
    const finer = Array.from({ length: 101 }, (_, i) => angle + ((i - 50) / 50) * spacing);
    const found = classesAt(around, finer, new Float64Array(finer.length).fill(distance));
    if (found.includes(-1)) return Number.NaN;
    const inside = finer.filter((_, i) => found[i] !== around.predicted);
    if (inside.length === 0) break;
    [distance, angle] = halved(around, inside, inner, distance, tolerance);
    spacing /= 50;
  }
  return distance;
}

/** The smallest radius of another class, and its angle, on rays that are of another class at `outer`; NaN for NaN logits. */
function halved(
  around: Around,
  angles: readonly number[],
  inner: number,
  outer: number,
  tolerance: number,
): [distance: number, angle: number] {
  const low = new Float64Array(angles.length).fill(inner);
  const high = new Float64Array(angles.length).fill(outer);
  for (let width = outer - inner; width > tolerance; width /= 2) {
    const middle = low.map((radius, i) => (radius + high[i]!) / 2);
    const found = classesAt(around, angles, middle);
    if (found.includes(-1)) return [Number.NaN, Number.NaN];
    for (let i = 0; i < angles.length; i++) (found[i] === around.predicted ? low : high)[i] = middle[i]!;
  }
  const nearest = high.indexOf(Math.min(...high));
  return [high[nearest]!, angles[nearest]!];
}
