import { lineSearch } from './line-search.js';
import type { LinearMap, Minimum, Problem } from './problem.js';
import { add, dot, largest, norm } from './vector.js';

export interface MinimizeOptions {
  /** Ends when no component of the gradient is larger than this. */
  readonly tolerance: number;
  readonly iterations: number;
  /** Pairs (s, y) that stand for the Hessian. */
  readonly memory?: number;
  /** Iterations after which the preconditioner is built anew. */
  readonly refresh?: number;
}

/**
 * L-BFGS (Liu and Nocedal 1989): directions by the two-loop recursion, lengths by a strong Wolfe line search.
 *
 * Where the problem has a preconditioner, it is the recursion's initial matrix, scaled to the newest pair; else that is a multiple
 * of the identity. Where no step along a direction makes the value less, the pairs are dropped, and where that does not help
 * either, the minimization has stalled.
 */
export function minimizer(problem: Problem, { tolerance, iterations, memory = 10, refresh = 20 }: MinimizeOptions) {
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
      const due = before.iterations >= before.anchored + refresh;
      const at = due ? { ...before, anchor: before.x, anchored: before.iterations } : before;
      const direction = directionFrom(at, yield* initial(at));
      const plain = at.steps.length === 0 && problem.precondition === undefined;
      const found = yield* lineSearch(problem, at, direction, plain ? Math.min(1, 1 / norm(at.gradient)) : 1);
      const worse = found === undefined || (found.value >= at.value && norm(found.gradient) >= norm(at.gradient));
      if (worse) return at.steps.length === 0 ? { ...at, ended: 'stalled' } : { ...at, steps: [], changes: [] };
      const step = found.x.map((value, i) => value - at.x[i]!);
      const change = found.gradient.map((value, i) => value - at.gradient[i]!);
      const curved = dot(step, change) > 0; // rounding may take it away; such a pair would spoil the recursion
      const kept = (pairs: readonly Float64Array[], newest: Float64Array): Float64Array[] =>
        curved ? [...pairs, newest].slice(-memory) : [...pairs];
      return {
        ...at,
        ...found,
        steps: kept(at.steps, step),
        changes: kept(at.changes, change),
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
