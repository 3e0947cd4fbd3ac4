import { checkCounts } from '../../flow/options.js';
import { keyed } from '../../flow/random.js';
import type { AttackMethod, AttackSetting } from './attack.js';
import type { Limits } from './box.js';
import { inputGradients } from './gradient.js';
import { distance, HALVINGS, type SampleGroup } from './group.js';

/** What is known of a sample at x_t, for the radius of x_{t+1}. Lengths are in units of the input. */
export interface Standing {
  /** ε_t; 0 at first. */
  readonly radius: number;
  /** ‖x_t − x‖ */
  readonly norm: number;
  readonly adversarial: boolean;
  /** The least ‖x_s − x‖ of an adversarial x_s, s ≤ t; Infinity without one. */
  readonly nearest: number;
  /** |ℓ(x_t)|/‖∇ℓ(x_t)‖: how far the boundary is where the loss is a difference of logits. */
  readonly boundary: number;
  /** (1 + cos πt/T)/2, from 1 to 0. */
  readonly cosine: number;
  /** The mean width of the box. */
  readonly width: number;
}

/** The two choices in which attacks by minimum norm differ. */
export interface MinimumNorm {
  /** ∂ℓ/∂logits of one sample into `into`, for a loss that grows out of the class `own`. @returns ℓ */
  loss(logits: Float32Array, own: number, into: Float32Array): number;
  /** ε_{t+1}, before it is held to the furthest corner of the box. */
  radius(standing: Standing): number;
  /** 'sphere': each step ends at the radius; 'ball': no further out. */
  readonly project: 'sphere' | 'ball';
}

/** Where the search on one group stands; the group's points are the nearest adversarial ones so far. */
export type MinimumNormState = {
  /** t, steps done. */
  readonly iteration: number;
  /** x_t, [group, d]. */
  readonly x: Float32Array;
  /** ε_t */
  readonly radius: Float64Array;
  /** ‖points − x‖; Infinity without an adversarial one. */
  readonly nearest: Float64Array;
};

/** Samples attacked in step, at most: the first product of a dense network takes as long for 16 as for several times as many. */
export const GROUP = 100;

const QUERIES = 2; // of a step: a forward pass and a product with the Jacobian
const FINISH = 2 + HALVINGS; // its point confirmed, lengthened and confirmed again, brought to the boundary
const LENGTHENED = 1e-3; // the part of itself by which a point is lengthened that another kernel finds short of the boundary

/**
 * The search that attacks by minimum norm share, from the sample itself and downhill only in the radius:
 *
 *   x_{t+1} = clip(x + Π_ε(x_t − x + α_t ∇ℓ/‖∇ℓ‖)),  α_t from 1 to 0.01 box widths by cosine annealing.
 *
 * Where the gradient is 0 its direction is drawn at random, as in the authors' code. In the end the segment from the sample to the
 * nearest adversarial point is searched for the boundary.
 */
export function minimumNorm(
  name: string,
  { model, box, group: size, d }: AttackSetting,
  { seed, iterations }: { readonly seed: number; readonly iterations: number },
  method: MinimumNorm,
): AttackMethod<MinimumNormState> {
  checkCounts(`stage '${name}'`, { iterations });
  const gradientsAt = inputGradients(name, model);
  const { classes } = model;
  const random = (index: number, t: number): Float64Array => {
    const numbers = keyed(seed, `${name}/direction`, index, t);
    return Float64Array.from({ length: d }, () => numbers.normal());
  };

  function* search(group: SampleGroup, from: MinimumNormState): Generator<MinimumNormState> {
    const { task, points, predicted } = group;
    const { originals, weights, indices } = task;
    const x = from.iteration === 0 ? originals.slice() : from.x.slice();
    const [radius, nearest] = [from.radius.slice(), from.nearest.slice()];
    const furthest = Float64Array.from({ length: size }, (_, slot) => furthestOf(group.original(slot), box));
    const losses = new Float64Array(size);

    for (let t = from.iteration; t < iterations; t++) {
      const running = group.running((slot) => {
        if (group.spent[slot] === 0 && !group.afford(slot, QUERIES + FINISH)) group.spent[slot] = 1;
        return group.spent[slot] === 0;
      });
      if (!running.includes(1)) break;
      const { logits, gradients } = gradientsAt(weights, x, size, (values, first) => {
        const into = new Float32Array(values.length);
        for (let row = 0; row < values.length / classes; row++) {
          const [slot, at] = [first + row, row * classes];
          if (running[slot] !== 1) continue;
          const own = values.subarray(at, at + classes);
          losses[slot] = method.loss(own, predicted[slot]!, into.subarray(at, at + classes));
        }
        return into;
      });
      const cosine = (1 + Math.cos((Math.PI * t) / iterations)) / 2;
      for (let slot = 0; slot < size; slot++) {
        if (running[slot] !== 1) continue;
        group.count(slot, QUERIES);
        const label = classOf(logits, slot * classes, classes);
        let direction: ArrayLike<number> = group.row(gradients, slot);
        let slope = norm(direction);
        if (label === -1 || !Number.isFinite(slope)) {
          group.end(slot, 'not-a-number');
          continue;
        }
        const [own, point] = [group.original(slot), group.row(x, slot)];
        const adversarial = label !== predicted[slot];
        const away = distance(own, point);
        if (adversarial && away < nearest[slot]!) {
          nearest[slot] = away;
          group.row(points, slot).set(point);
        }
        if (nearest[slot]! < Number.POSITIVE_INFINITY) group.trace(slot, nearest[slot]!);
        const standing: Standing = {
          radius: radius[slot]!,
          norm: away,
          adversarial,
          nearest: nearest[slot]!,
          boundary: slope > 0 ? Math.abs(losses[slot]!) / slope : 0,
          cosine,
          width: box.width,
        };
        radius[slot] = Math.min(method.radius(standing), furthest[slot]!);
        if (slope === 0) {
          direction = random(indices[slot]!, t);
          slope = norm(direction);
        }
        const step = (box.width * (0.01 + 0.99 * cosine)) / slope;
        move(point, own, direction, step, radius[slot]!, method.project, box);
      }
      yield { iteration: t + 1, x: x.slice(), radius: radius.slice(), nearest: nearest.slice() };
    }
    finish(group, nearest);
  }

  return {
    start: () => ({
      iteration: 0,
      x: new Float32Array(0),
      radius: new Float64Array(size),
      nearest: new Float64Array(size).fill(Number.POSITIVE_INFINITY),
    }),
    search,
    fields: () => ({ iterations }),
  };
}

/** Brings every point that was found to the boundary, and ends the other samples. */
function finish(group: SampleGroup, nearest: Float64Array): void {
  const { points, size } = group;
  const found = group.running((slot) => Number.isFinite(nearest[slot]!));
  for (let slot = 0; slot < size; slot++) {
    if (group.outcome[slot] !== -1 || found[slot] === 1) continue;
    group.end(slot, group.spent[slot] === 1 ? 'out-of-queries' : 'never-flipped');
  }
  const flipped = found.includes(1) ? group.flips(points, found) : found;
  const short = group.running((slot) => found[slot] === 1 && flipped[slot] === 0);
  if (short.includes(1)) {
    for (let slot = 0; slot < size; slot++) {
      if (short[slot] === 1) lengthen(group.row(points, slot), group.original(slot), 1 + LENGTHENED, group.task.box);
    }
    const again = group.flips(points, short);
    for (let slot = 0; slot < size; slot++) flipped[slot]! |= again[slot]!;
  }
  if (flipped.includes(1)) group.toBoundary(flipped.slice());
}

/** point ← clip(own + Π_radius(point − own + step · direction)) */
export function move(
  point: Float32Array,
  own: Float32Array,
  direction: ArrayLike<number>,
  step: number,
  radius: number,
  project: MinimumNorm['project'],
  box: Limits,
): void {
  let square = 0;
  for (let i = 0; i < point.length; i++) {
    const delta = point[i]! - own[i]! + step * direction[i]!;
    square += delta * delta;
  }
  if (square === 0) return;
  const scale = radius / Math.sqrt(square);
  const { lower, upper } = box;
  const by = project === 'ball' ? Math.min(1, scale) : scale;
  for (let i = 0; i < point.length; i++) {
    const to = own[i]! + by * (point[i]! - own[i]! + step * direction[i]!);
    point[i] = to < lower[i]! ? lower[i]! : to > upper[i]! ? upper[i]! : to;
  }
}

/** point ← clip(own + by · (point − own)) */
function lengthen(point: Float32Array, own: Float32Array, by: number, { lower, upper }: Limits): void {
  for (let i = 0; i < point.length; i++) {
    point[i] = Math.min(Math.max(own[i]! + by * (point[i]! - own[i]!), lower[i]!), upper[i]!);
  }
}

/** The distance of the corner of the box that is the furthest from a point. */
function furthestOf(point: Float32Array, { lower, upper }: Limits): number {
  return Math.sqrt(point.reduce((sum, value, i) => sum + Math.max(value - lower[i]!, upper[i]! - value) ** 2, 0));
}

/** The class of a row of logits as `classes` of predictions.ts has it; −1 where any is NaN. */
export function classOf(logits: Float32Array, at: number, classes: number): number {
  let top = 0;
  for (let k = 0; k < classes; k++) {
    const value = logits[at + k]!;
    if (Number.isNaN(value)) return -1;
    if (value > logits[at + top]!) top = k;
  }
  return top;
}

/** ‖vector‖₂ */
export function norm(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! ** 2;
  return Math.sqrt(sum);
}
