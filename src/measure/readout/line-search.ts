import type { Minimum, Problem } from './problem.js';
import { dot } from './vector.js';

/** A point on the line: its distance in steps, value and slope there. */
interface Trial {
  readonly length: number;
  readonly value: number;
  readonly slope: number;
  readonly x: Float64Array;
  readonly gradient: Float64Array;
}

const sufficient = 1e-4; // part of the decrease that the slope promises (Nocedal and Wright: c₁)
const flattened = 0.9; // part of the slope that may be left (c₂)
const trials = 30;
const noise = 1e-13; // of the value, relative: what a sum over many samples is known to

/**
 * A step that meets the strong Wolfe conditions: f(x + αp) ≤ f(x) + c₁ α p·∇f and |p·∇f(x + αp)| ≤ c₂ |p·∇f(x)|.
 *
 * Bracketing, then cubic interpolation inside the bracket (Nocedal and Wright 2006, algorithms 3.5 and 3.6), safeguarded by
 * halving. A value may be worse by its own rounding: near the minimum slopes are still known where differences of values are not.
 *
 * @returns undefined where p does not lead down or no step was found
 */
export function* lineSearch(
  problem: Problem,
  from: Minimum,
  direction: Float64Array,
  first: number,
): Generator<void, Pick<Minimum, 'x' | 'value' | 'gradient'> | undefined> {
  const slope = dot(direction, from.gradient);
  if (!(slope < 0)) return undefined;
  const start: Trial = { length: 0, value: from.value, slope, x: from.x, gradient: from.gradient };
  const slack = noise * Math.abs(from.value);
  const falls = (t: Trial): boolean => t.value <= start.value + sufficient * t.length * slope + slack;
  const flat = (t: Trial): boolean => Math.abs(t.slope) <= -flattened * slope;

  let low = start; // the best point so far, from which the line leads down
  let high: Trial | undefined; // the other end of the bracket, once there is one
  let length = first;
  for (let n = 0; n < trials; n++) {
    const x = from.x.map((value, i) => value + length * direction[i]!);
    const gradient = new Float64Array(x.length);
    const value = yield* problem.evaluate(x, gradient);
    const trial: Trial = { length, value, slope: dot(direction, gradient), x, gradient };
    const better = falls(trial) && trial.value <= low.value + slack;
    if (better && flat(trial)) return trial;
    if (!better) high = trial;
    else {
      if (trial.slope * (high === undefined ? 1 : high.length - trial.length) >= 0) high = low;
      low = trial;
    }
    length = high === undefined ? 4 * length : between(low, high);
    if (high !== undefined && Math.abs(high.length - low.length) <= Number.EPSILON * Math.abs(low.length)) break;
  }
  return low === start || low.value >= start.value ? undefined : low;
}

/** Where a cubic through both ends has its minimum, kept a tenth of the bracket away from them; else the middle. */
function between(low: Trial, high: Trial): number {
  const width = high.length - low.length;
  const middle = low.length + width / 2;
  const d1 = low.slope + high.slope - (3 * (high.value - low.value)) / width;
  const square = d1 * d1 - low.slope * high.slope;
  if (!(square >= 0)) return middle;
  const d2 = Math.sign(width) * Math.sqrt(square);
  const part = 1 - (high.slope + d2 - d1) / (high.slope - low.slope + 2 * d2);
  return part > 0.1 && part < 0.9 ? low.length + part * width : middle;
}
