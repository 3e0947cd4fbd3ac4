/** A function to be minimized, in float64. Its work may take several slices; between two of them the run answers signals and barriers. */
export interface Objective {
  /** Writes the gradient at x and returns the value. */
  evaluate(x: Float64Array, gradient: Float64Array): Generator<void, number>;
  /** Builds an approximation of the inverse of the Hessian at x: a positive definite linear map. */
  precondition?(x: Float64Array): Generator<void, LinearMap>;
}

export type LinearMap = (vector: Float64Array) => Float64Array;

/** Where a minimization stands, after a whole number of iterations. Plain data, never changed. */
export type Minimum = {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
  /** The newest steps s = Δx and y = Δ∇f, oldest first. */
  readonly steps: readonly Float64Array[];
  readonly changes: readonly Float64Array[];
  readonly iterations: number;
  /** Where the preconditioner was built, and at which iteration. */
  readonly anchor: Float64Array;
  readonly anchored: number;
  /** `converged`: the gradient is within the tolerance. `stalled`: float64 tells no better point. `iterations`: no more are allowed. */
  readonly ended: 'no' | 'converged' | 'stalled' | 'iterations';
};

/** aᵀb, in float64. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** ‖a‖₂. */
export const norm = (a: Float64Array): number => Math.sqrt(dot(a, a));

/** ‖a‖∞; NaN where a holds one. */
export function largest(a: Float64Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const value = Math.abs(a[i]!);
    if (!(value <= most)) most = value;
  }
  return most;
}

/** a ← a + factor · b. */
export function add(a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i] = a[i]! + factor * b[i]!;
}

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
const noise = 1e-13; // of the value, relative: the rounding of a sum over many samples

/**
 * A step that meets the strong Wolfe conditions: f(x + αp) ≤ f(x) + c₁ α p·∇f and |p·∇f(x + αp)| ≤ c₂ |p·∇f(x)|.
 *
 * Bracketing, then cubic interpolation inside the bracket (Nocedal and Wright 2006, algorithms 3.5 and 3.6), safeguarded by halving. A
 * value may be worse by its own rounding: near the minimum, slopes are still known where rounding hides differences of values.
 *
 * @returns undefined where p does not lead down or no step was found
 */
function* lineSearch(
  problem: Objective,
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

export interface MinimizeOptions {
  /** Ends when no component of the gradient is larger than this. */
  readonly tolerance: number;
  readonly iterations: number;
  /** Pairs (s, y) that stand for the Hessian. */
  readonly memory?: number;
  /** Iterations after which the preconditioner is rebuilt. */
  readonly refresh?: number;
}

/**
 * L-BFGS (Liu and Nocedal 1989): directions by the two-loop recursion, lengths by a strong Wolfe line search.
 *
 * Where the problem has a preconditioner, it is the recursion's initial matrix, scaled to the newest pair; else that is a multiple
 * of the identity. Where no step along a direction makes the value less, the pairs are dropped, and where that does not help
 * either, the minimization has stalled.
 */
export function minimizer(problem: Objective, { tolerance, iterations, memory = 10, refresh = 20 }: MinimizeOptions) {
  let built: { readonly at: Float64Array; readonly apply: LinearMap } | undefined; // made again after a resume

  function* initial({ anchor }: Minimum): Generator<void, LinearMap> {
    if (problem.precondition === undefined) return (vector) => vector.slice();
    if (built?.at !== anchor) built = { at: anchor, apply: yield* problem.precondition(anchor) };
    return built.apply;
  }

  return {
    *start(x: Float64Array): Generator<void, Minimum> {
      const gradient = new Float64Array(x.length);
      const value = yield* problem.evaluate(x, gradient);
      return { x, value, gradient, steps: [], changes: [], iterations: 0, anchor: x, anchored: 0, ended: 'no' };
    },

    /** One iteration. */
    *next(before: Minimum): Generator<void, Minimum> {
      if (largest(before.gradient) <= tolerance) return { ...before, ended: 'converged' };
      if (before.iterations >= iterations) return { ...before, ended: 'iterations' };
      const stale = before.iterations >= before.anchored + refresh;
      const at = stale ? { ...before, anchor: before.x, anchored: before.iterations } : before;
      const direction = directionFrom(at, yield* initial(at));
      const plain = at.steps.length === 0 && problem.precondition === undefined;
      const found = yield* lineSearch(problem, at, direction, plain ? Math.min(1, 1 / norm(at.gradient)) : 1);
      const worse = found === undefined || (found.value >= at.value && norm(found.gradient) >= norm(at.gradient));
      if (worse) return at.steps.length === 0 ? { ...at, ended: 'stalled' } : { ...at, steps: [], changes: [] };
      const step = found.x.map((value, i) => value - at.x[i]!);
      const change = found.gradient.map((value, i) => value - at.gradient[i]!);
      const curved = dot(step, change) > 0; // rounding may take it away; such a pair would spoil the recursion
      const appended = (pairs: readonly Float64Array[], newest: Float64Array): Float64Array[] =>
        curved ? [...pairs, newest].slice(-memory) : [...pairs];
      return {
        ...at,
        ...found,
        steps: appended(at.steps, step),
        changes: appended(at.changes, change),
        iterations: at.iterations + 1,
      };
    },
  };
}

/** −H∇f: H from the pairs kept, beginning with γ H₀, γ = s·y / y·H₀y of the newest pair. */
function directionFrom({ gradient, steps, changes }: Minimum, initial: LinearMap): Float64Array {
  const q = gradient.slice();
  const factors = steps.map((step, i) => 1 / dot(step, changes[i]!));
  const weights: number[] = [];
  for (let i = steps.length - 1; i >= 0; i--) {
    weights[i] = factors[i]! * dot(steps[i]!, q);
    add(q, changes[i]!, -weights[i]!);
  }
  const last = changes.at(-1);
  const scale = last === undefined ? 1 : 1 / (factors.at(-1)! * dot(last, initial(last)));
  const direction = initial(q);
  for (let i = 0; i < direction.length; i++) direction[i] = -scale * direction[i]!;
  for (let i = 0; i < steps.length; i++) {
    add(direction, steps[i]!, -weights[i]! - factors[i]! * dot(changes[i]!, direction));
  }
  return direction;
}
