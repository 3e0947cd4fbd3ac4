import { samplesInput } from '../../data/input.js';
import type { Stage, Step } from '../../flow/core-stage.js';
import { WeirError } from '../../flow/errors.js';
import type { Positioned } from '../../flow/item.js';
import type { Update } from '../../learn/learn-update.js';
import type { Model } from '../../learn/model/model-model.js';
import { byName, inputLength, type LabeledSamples, writeInput } from '../measure-inputs.js';
import { checkCount } from '../options.js';
import { ask } from '../oracle.js';
import { checkTwo } from './geometry-grid.js';
import { classesOnRings, nearestCrossing, type Scan, unitVectors } from './scan.js';

/**
 * How the scan around one sample ended.
 *
 * - `found`: the boundary, within the tolerance.
 * - `already-misclassified`: the model does not give the sample its label.
 * - `beyond-reach`: no point of another class within the reach.
 * - `not-a-number`: the model gave a logit that is NaN.
 */
export type ScanOutcome = 'found' | 'already-misclassified' | 'beyond-reach' | 'not-a-number';

export interface ExactDistance extends Positioned {
  readonly number: number;
  readonly epoch: number;
  readonly index: number;
  readonly label: number;
  readonly outcome: ScanOutcome;
  /** From the sample to the nearest point of another class, in input units; NaN where none was found. */
  readonly distance: number;
}

export interface ExactDistancesOptions extends Partial<Scan> {
  /** How far to look, in input units. */
  readonly reach?: number;
}

/** Where the scan stands: samples done, and rings about the next one in which all is of its class. */
export type ScanState = { readonly done: number; readonly rings: number };

const POINTS = 100_000; // in one pass

/**
 * The exact distance Δx to the decision boundary in two dimensions, for each sample, by a dense scan of directions: the yardstick
 * beside the attack, whose distances lie above it.
 *
 * Rings around the sample grow by `step` until a ray has changed class; on the rays that have, the boundary is halved down to
 * `tolerance`. With D directions the nearest point of a straight boundary is missed by less than (π/D)²/2 of the distance, and
 * about the nearest ray the directions are made denser still. What is found is of another class, so Δx is never above it.
 *
 * Bound: 100,000 points on the device; the engine breathes after each. Order: that of the samples. State: `ScanState`.
 * Failure: a model that does not take two values; what happens to a single sample is its outcome.
 *
 * @example updates$.pipe(atEnd(), exactDistances(model, train, { reach: 4 }))
 */
export function exactDistances(
  model: Model,
  given: LabeledSamples,
  { reach = 5, directions = 3600, step = 0.01, tolerance = 1e-6 }: ExactDistancesOptions = {},
): Stage<Update, ExactDistance, ScanState> {
  const name = 'exact distances';
  checkTwo(name, model);
  const samples = byName(name, model, given);
  inputLength(name, model, samples);
  checkCount(name, { directions });
  for (const [key, value] of Object.entries({ reach, step, tolerance })) {
    if (value > 0 && Number.isFinite(value)) continue;
    throw new WeirError(`stage '${name}': ${key} is ${value}`, `give ${key} as a length above 0, in input units`);
  }
  const all = Math.ceil(reach / step - 1e-9);
  const together = Math.max(1, Math.floor(POINTS / directions));
  const radius = (ring: number): number => Math.min(reach, ring * step);
  const angles = Array.from({ length: directions }, (_, i) => (2 * Math.PI * i) / directions);
  const vectors = unitVectors(angles);

  return {
    name,
    claims: 'weights',
    inputs: [samplesInput(given)],
    introduce: samples.introduce,
    start: () => ({ done: 0, rings: 0 }),
    *next(state, { position, number, epoch, weights }): Generator<Step<ScanState, ExactDistance>> {
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
          const count = Math.min(together, all - rings);
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
  };
}

/** The first place that holds another class; −1 where none does. */
function otherThan(predicted: number, found: Int32Array): number {
  for (let i = 0; i < found.length; i++) if (found[i] !== predicted) return i;
  return -1;
}
