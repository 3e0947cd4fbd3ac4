import { checkNumbers, checkOptions } from '../../flow/options.js';
import type { StageOperator } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import type { LabeledSamples } from '../inputs.js';
import { type AttackedUpdate, type AttackOptions, type AttackState, attackOptionKeys, attackStage } from './attack.js';
import { type BoundaryWalk, boundaryWalk, type WalkState } from './boundary-walk.js';
import { distance, type SampleGroup } from './group.js';
import { lowFrequencies } from './low-frequencies.js';
import { type AttackResult, attackRecord } from './record.js';

export interface CgbaOptions extends AttackOptions {
  /** T */
  readonly iterations?: number;
  /** f: noise has only the lowest 1/f of the frequencies of each side of an image; 1 takes all. */
  readonly reduction?: number;
  /** Draws in one forward pass, for models whose first layer is not dense. */
  readonly chunk?: number;
}

/** T of the authors' code: about 20,000 queries. */
const ITERATIONS = 93;
/** Draws for the normal at the first iteration. */
const N0 = 30;
/** σ in widths of the box: the authors' 2e-4 is in deviations of ImageNet's pixels, of which their box has 4.4. */
const SIGMA = 4.5e-5;
/** Pixels a side from which on f is the paper's. */
const LARGE = 64;

/**
 * CGBA, "curvature-aware geometric black-box attack", untargeted, ℓ2 (Reza, Rahmati, Wu, Dai 2023, algorithm 1). At a point x_t of the
 * boundary the normal u is estimated from ⌊N0 √i⌋ classes, N0 = 30, around x_t by σz. The next point is where the boundary meets the
 * semicircle over the segment from x to x_t, in the plane of the segment and u, on the side of u. Every point of it is nearer to x than x_t
 * is, so the distance never grows. Where the boundary is flat and u exact, one step ends at the nearest point of all (Thales).
 *
 * Noise for images has only low frequencies: the first 1/f of a DCT a side, f = `reduction`. The default is the paper's 4, and 2 for images of
 * less than 64 pixels a side, of which a quarter is too coarse; other samples have plain noise.
 *
 * Constants are those of the authors' code (Farhamdur/CGBA). Differences:
 * - the start is that of the Tangent Attack (`start.ts`), not growing noise, and up to three are pursued for a sixteenth of the iterations;
 * - noise and every point of the semicircle are clipped to the box, there only the points that look for a class of the sample;
 * - normals have the mean of the signs subtracted, as in HopSkipJump and the Tangent Attack;
 * - the semicircle is bisected in `HALVINGS` queries between x and x_t; there again from x_t on, once a point of the sample's class is known;
 * - where u lies along the segment there is no plane, and x_t stays.
 *
 * It asks for classes only. Bound, order, state, failure: those of `attackStage`; the engine breathes as in the Tangent Attack.
 *
 * @example updates$.pipe(atEnd(), cgba(model, test, { samples: 1000, budget: 7500, seed }))
 */
export function cgba(
  model: Model,
  samples: LabeledSamples,
  options: CgbaOptions,
): StageOperator<AttackedUpdate, AttackResult, AttackState<WalkState>> {
  checkOptions('cgba', options, {
    iterations: 'optional',
    reduction: 'optional',
    chunk: 'optional',
    ...attackOptionKeys,
  });
  const { iterations = ITERATIONS } = options;
  return attackStage('cgba', attackRecord('CGBA'), model, samples, options, (setting) => {
    const shape = setting.samples.sampleShape;
    const { reduction = usualReduction(shape) } = options;
    checkNumbers("stage 'cgba'", { reduction }, { least: 1 });
    const noise = reduction > 1 && { noise: lowFrequencies('cgba', shape, reduction) };
    return boundaryWalk('cgba', setting, { ...options, iterations }, { ...CGBA, ...noise });
  });
}

const CGBA: BoundaryWalk = {
  draws: (i) => Math.floor(N0 * Math.sqrt(i)),
  scale: (_i, { width }) => SIGMA * width,
  step: (group, normals, _i, wanted) => semicircleStep(group, normals, wanted),
  starts: 3,
  heats: (iterations) => Math.ceil(iterations / 16),
};

/** f of images by their shorter side; 1 of samples that are none, or hardly any. */
function usualReduction([height = 0, width = 0]: readonly number[]): number {
  const side = Math.min(height, width);
  return side >= LARGE ? 4 : side >= 4 ? 2 : 1;
}

/** Moves each wanted boundary point along its semicircle to the boundary again. `HALVINGS` queries a sample. */
export function semicircleStep(
  group: SampleGroup,
  normals: readonly (Float32Array | undefined)[],
  wanted: Uint8Array,
): void {
  const arcs = Array.from(wanted, (one, slot) =>
    one === 1 ? semicircle(group.original(slot), group.row(group.points, slot), normals[slot]!) : undefined,
  );
  const { lower, upper } = group.task.box;
  group.bisect(
    group.running((slot) => arcs[slot] !== undefined),
    (slot, t, into) => {
      arcs[slot]!(t, into);
      for (let i = 0; i < into.length; i++) into[i] = Math.min(Math.max(into[i]!, lower[i]!), upper[i]!);
    },
  );
}

const COLINEAR = 1e-6; // sine of the angle between u and the segment, in float32

/**
 * The semicircle over the segment from x to a boundary point x_b, as a function of t: x at t = 0, x_b at t = 1. Not clipped.
 *
 *   p(φ) = x + ‖x_b − x‖ cos φ (cos φ v + sin φ w),  φ = (1 − t) π/2,  v = (x_b − x)/‖x_b − x‖,  w = (u − (u·v) v)/‖…‖
 *
 * @param normal u, of length 1, towards the adversarial side
 * @returns undefined where x_b = x, u is NaN, or the two directions span no plane
 */
export function semicircle(
  x: Float32Array,
  boundary: Float32Array,
  normal: Float32Array,
): ((t: number, into: Float32Array) => void) | undefined {
  const d = x.length;
  const length = distance(x, boundary);
  const v = Float64Array.from({ length: d }, (_, i) => (boundary[i]! - x[i]!) / length);
  const along = v.reduce((sum, value, i) => sum + value * normal[i]!, 0);
  const w = Float64Array.from({ length: d }, (_, i) => normal[i]! - along * v[i]!);
  const across = Math.sqrt(w.reduce((sum, value) => sum + value * value, 0));
  if (!(across > COLINEAR)) return undefined;
  return (t, into) => {
    const angle = ((1 - t) * Math.PI) / 2;
    const [a, b] = [length * Math.cos(angle) ** 2, (length * Math.cos(angle) * Math.sin(angle)) / across];
    for (let i = 0; i < d; i++) into[i] = x[i]! + a * v[i]! + b * w[i]!;
  };
}
