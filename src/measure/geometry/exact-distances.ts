import { samplesInput } from '../../data/fingerprint.js';
import type { Positioned } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkCounts, checkOptions } from '../../flow/options.js';
import { type StageOperator, type Step, stage } from '../../flow/stage.js';
import type { Model, Weights } from '../../learn/model/model.js';
import type { Update } from '../../learn/update.js';
import { byName, inputLength, type LabeledSamples, writeInput } from '../inputs.js';
import { ask } from '../predictions.js';
import { checkTwo } from './geometry.js';
import { type ExactDistance, exactDistanceRecord, type ScanOutcome } from './record.js';

/** How finely the boundary is looked for around one sample of two values. */
export interface Scan {
  /** Rays, at equal angles. */
  readonly directions: number;
  /** The distance from ring to ring, in input units. A strip of another class that is narrower can be missed. */
  readonly step: number;
  /** Length of the interval on a ray to which the boundary is narrowed down, in input units. */
  readonly tolerance: number;
}

/** The classes that one model gives around one sample. */
export interface ScannedSample {
  readonly model: Model;
  readonly weights: Weights;
  readonly sample: Float32Array;
  /** Class of the sample itself. */
  readonly predicted: number;
}

/** Directions of length 1, x and y by turns. */
function unitVectors(angles: ArrayLike<number>): Float64Array {
  const vectors = new Float64Array(2 * angles.length);
  for (let i = 0; i < angles.length; i++) {
    vectors[2 * i] = Math.cos(angles[i]!);
    vectors[2 * i + 1] = Math.sin(angles[i]!);
  }
  return vectors;
}

/** Classes on whole rings around the sample: at each radius, in each direction. */
function classesOnRings(
  { model, weights, sample }: ScannedSample,
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
function classesAt(
  { model, weights, sample }: ScannedSample,
  angles: readonly number[],
  radii: Float64Array,
): Int32Array {
  const vectors = unitVectors(angles);
  const rows = Float32Array.from(vectors, (value, i) => sample[i & 1]! + radii[i >> 1]! * value);
  return ask(model, weights, rows, angles.length);
}

/**
 * The distance of the boundary, where some of the rays are known to cross it between `inner` and `outer`. On each of these rays the
 * interval is halved down to the tolerance. Then, twice over, the rays about the nearest one are made fifty times as dense and halved
 * again. For at a corner of the boundary the nearest point lies between rays.
 *
 * @param crossed angles of rays whose point at `outer` is of another class
 * @returns an upper end: the point at that distance is of another class; NaN where a point on the way has NaN logits
 */
function nearestCrossing(
  around: ScannedSample,
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
  around: ScannedSample,
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

export interface ExactDistancesOptions extends Partial<Scan> {
  /** How far to look, in input units. */
  readonly reach?: number;
}

/** The state of the scan: samples done, and rings around the next sample that are all of its class. */
export type ScanState = { readonly done: number; readonly rings: number };

const POINTS = 100_000; // in one pass

/**
 * The exact distance Δx to the decision boundary in two dimensions, for each sample, by a dense scan of directions. It is the reference for
 * the attack, whose distances lie above it.
 *
 * Rings around the sample grow by `step` until the class changes on a ray. On those rays the boundary is located to within `tolerance`.
 * With D directions the distance of a straight boundary is missed by less than (π/D)²/2 of it, and about the nearest ray the directions are
 * made denser. The point found has another class, so Δx is never above its distance.
 *
 * Bound: 100,000 points on the device; the engine breathes after each. Order: that of the samples. State: `ScanState`.
 * Failure: a model that does not take two values. The fault of a single sample is its outcome.
 *
 * @example updates$.pipe(atEnd(), exactDistances(model, train, { reach: 4 }))
 */
export function exactDistances(
  model: Model,
  given: LabeledSamples,
  options: ExactDistancesOptions = {},
): StageOperator<Update, ExactDistance & Positioned, ScanState> {
  const {
    reach = 5,
    directions = 3600,
    step = 0.01,
    tolerance = 1e-6,
  } = checkOptions('exactDistances', options, {
    reach: 'optional',
    directions: 'optional',
    step: 'optional',
    tolerance: 'optional',
  });
  const name = 'exact distances';
  checkTwo(name, model);
  const samples = byName(name, model, given);
  inputLength(name, model, samples);
  checkCounts(`stage '${name}'`, { directions });
  for (const [key, value] of Object.entries({ reach, step, tolerance })) {
    if (value > 0 && Number.isFinite(value)) continue;
    throw new WeirError(`stage '${name}': ${key} is ${value}`, `give ${key} as a length above 0, in input units`);
  }
  const all = Math.ceil(reach / step - 1e-9);
  const ringsAtOnce = Math.max(1, Math.floor(POINTS / directions));
  const radius = (ring: number): number => Math.min(reach, ring * step);
  const angles = Array.from({ length: directions }, (_, i) => (2 * Math.PI * i) / directions);
  const vectors = unitVectors(angles);

  return stage({
    name,
    record: exactDistanceRecord(samples.size),
    claims: 'weights',
    inputs: [samplesInput(given)],
    introduce: samples.introduce,
    start: () => ({ done: 0, rings: 0 }),
    *next(state, { position, number, epoch, weights }): Generator<Step<ScanState, ExactDistance & Positioned>> {
      const sample = new Float32Array(2);
      let { done, rings } = state;
      for (; done < samples.size; done++, rings = 0) {
        writeInput(samples, done, sample, 0);
        const label = samples.labels[done]!;
        const predicted = ask(model, weights, sample, 1)[0]!;
        const around = { model, weights, sample, predicted };
        let outcome: ScanOutcome =
          predicted === -1 ? 'not-a-number' : predicted === label ? 'beyond-reach' : 'already-misclassified';
        let distance = Number.NaN;
        while (outcome === 'beyond-reach' && rings < all) {
          const count = Math.min(ringsAtOnce, all - rings);
          const radii = Array.from({ length: count }, (_, i) => radius(rings + 1 + i));
          const found = classesOnRings(around, vectors, radii);
          const first = otherThan(predicted, found);
          if (first === -1) {
            rings += count;
            if (rings < all) yield [{ done, rings }];
            continue;
          }
          const ring = Math.floor(first / directions);
          const on = found.subarray(ring * directions, (ring + 1) * directions);
          if (on.includes(-1)) outcome = 'not-a-number';
          else {
            const crossed = angles.filter((_, i) => on[i] !== predicted);
            const [inner, outer] = [radius(rings + ring), radius(rings + ring + 1)];
            distance = nearestCrossing(around, crossed, inner, outer, { directions, step, tolerance });
            outcome = Number.isNaN(distance) ? 'not-a-number' : 'found';
          }
        }
        const result = { position, number, epoch, index: done, label, outcome, distance };
        if (done + 1 < samples.size) yield [{ done: done + 1, rings: 0 }, result];
        else yield [{ done: 0, rings: 0 }, result];
      }
    },
  });
}

/** The first index with another class; −1 where there is none. */
function otherThan(predicted: number, found: Int32Array): number {
  for (let i = 0; i < found.length; i++) if (found[i] !== predicted) return i;
  return -1;
}
