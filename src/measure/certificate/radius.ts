import { ascend } from './ascent.js';
import { type Center, centerOf, crownRadius, type Dense, marginRows, marginsOn, onBall, toFirst } from './crown.js';
import { norm } from './matrix.js';
import { type Chosen, chosen, lagrangian, type Multipliers } from './multipliers.js';

/** Radii of balls in ℓ2 on which a class is proved to stay, in input units. */
export interface CertifiedRadii {
  readonly crown: number;
  /** By the multipliers, where they were asked for: no smaller than CROWN's. */
  readonly sdp?: number;
}

export interface RadiusOptions {
  /** Whether CROWN's radius is enlarged by the multipliers. */
  readonly sdp: boolean;
  /** Neurons of the first layer that have multipliers; the work grows with its third power. */
  readonly most?: number;
}

/** Temperatures of the ascent, as parts of the margin at the center: from the lines, from another ball's multipliers, from a near one's. */
const COLD = [6e-3, 2e-3, 6e-4] as const;
const COOL = [2e-3, 6e-4] as const;
const WARM = [6e-4] as const;

/**
 * The largest radii on which `label` is proved to stay the class of x: that of CROWN (`crownRadius`), and one by the semidefinite
 * relaxation of the first hidden layer's activations (`lagrangian`), the layers behind it being replaced by CROWN's lines.
 *
 * Rivals are taken in the order of their margins on a larger ball. Each has its multipliers, and its radius is where their bound is 0;
 * a rival whose margin CROWN holds on the smallest radius so far is passed over.
 */
export function certifiedRadii(
  network: Dense,
  x: ArrayLike<number>,
  label: number,
  rivals: readonly number[],
  { sdp, most = 96 }: RadiusOptions,
): CertifiedRadii {
  const center = centerOf(network, x);
  const crown = crownRadius(network, center, label, rivals);
  if (!sdp) return { crown };
  if (crown === 0 || !Number.isFinite(crown) || network.curves[0] === undefined) return { crown, sdp: crown };
  const near = marginsOn(onBall(network, center, 1.25 * crown), label, rivals);
  let open = rivals.map((_, r) => r).sort((a, b) => near[a]! - near[b]!);
  let radius = Number.POSITIVE_INFINITY;
  while (open.length > 0) {
    radius = Math.min(radius, radiusAgainst(network, center, [label, rivals[open[0]!]!], crown, radius, most));
    open = open.slice(1);
    if (open.length === 0 || !(radius > crown)) break;
    const margins = marginsOn(
      onBall(network, center, radius),
      label,
      open.map((r) => rivals[r]!),
    );
    open = open.filter((_, i) => !(margins[i]! >= 0));
  }
  return { crown, sdp: radius };
}

/** The radius of one pair of classes, no larger than `cap`. @param safe a radius that is proved */
function radiusAgainst(
  network: Dense,
  center: Center,
  [label, rival]: readonly [number, number],
  safe: number,
  cap: number,
  most: number,
): number {
  const margin = marginsOn(onBall(network, center, 0), label, [rival])[0]!;
  const problemAt = (epsilon: number, which: number | Int32Array) =>
    chosen(network, network.curves[0]!, sumOn(network, center, [label, rival], epsilon), which);
  let epsilon = Math.min(cap, 1.25 * safe);
  let best = safe;
  let [{ problem, lines }, temperatures]: [ReturnType<typeof problemAt>, readonly number[]] = [
    problemAt(epsilon, most),
    COLD,
  ];
  let from = linear(problem, lines);
  for (let round = 0; round < 4; round++) {
    let value = Number.NEGATIVE_INFINITY;
    from = ascend(
      problem,
      from,
      temperatures.map((part) => part * margin),
      (found) => {
        value = lagrangian(problem, found);
        return value >= 0 && epsilon === cap;
      },
    );
    if (value >= 0) best = Math.max(best, epsilon);
    if (best === cap) return cap;
    // where these multipliers' own bound is 0: the next ball
    const which = problem.neurons;
    const at = (next: number): number => lagrangian(problemAt(next, which).problem, scaled(from, epsilon / next));
    const root = rootOf(at, epsilon, value, cap, margin);
    if (root.proved > best) best = root.proved;
    if (best === cap) return cap;
    // nothing new: a ball between this one and the one that is proved
    const next = root.proved > safe ? root.proved : Math.sqrt(safe * epsilon);
    if (!(Math.abs(next / epsilon - 1) > 2e-3)) break;
    from = scaled(from, epsilon / next);
    epsilon = next;
    ({ problem, lines } = problemAt(epsilon, which));
    temperatures = root.proved > safe ? WARM : COOL;
  }
  return best;
}

/** Multipliers of a ball as those of another: κ and λ are forces a length. */
const scaled = ({ s, kappa, lambda }: Multipliers, by: number): Multipliers => ({
  s,
  kappa: kappa.map((value) => value * by),
  lambda: lambda * by,
});

/** CROWN's multipliers: the slopes of its lines, κ = 0, and the λ that is best with them. */
function linear({ rows, rest, columns, epsilon }: Chosen, lines: Float64Array): Multipliers {
  const g = Float64Array.from(rest);
  for (let j = 0; j < lines.length; j++) {
    for (let i = 0; i < columns; i++) g[i]! += lines[j]! * rows[j * columns + i]!;
  }
  return { s: lines, kappa: new Float64Array(lines.length), lambda: norm(g) / epsilon + Number.MIN_VALUE };
}

/** The margin over one rival as a sum over the first hidden layer, float32's part of it subtracted. */
function sumOn(network: Dense, center: Center, [label, rival]: readonly [number, number], epsilon: number) {
  const ball = onBall(network, center, epsilon);
  const { a, constants } = toFirst(ball, marginRows(ball, label, [rival]), ball.hidden.length - 1);
  const steepest = network.curves[0]!.lipschitz;
  const { moved } = ball.hidden[0]!;
  const base = a.reduce((sum, c, j) => sum - Math.abs(c) * steepest * moved[j]!, constants[0]!);
  return { base, c: a, sums: center.sums, epsilon };
}

/** By secants from one value: the largest radius of those met, up to the cap, where the bound is 0 or above; 0 without one. */
function rootOf(
  at: (epsilon: number) => number,
  epsilon: number,
  value: number,
  cap: number,
  margin: number,
): { readonly proved: number } {
  let [a, fa] = [epsilon, value];
  let proved = value >= 0 ? epsilon : 0;
  // the first slope: from the margin at the center, or a little more
  let next = Number.isFinite(value)
    ? epsilon + (value * epsilon) / Math.max(margin - value, 0.5 * margin)
    : 0.9 * epsilon;
  for (let i = 0; i < 6; i++) {
    next = Math.min(cap, Math.max(0.5 * epsilon, Math.min(next, 1.5 * epsilon)));
    const f = at(next);
    if (f >= 0) proved = Math.max(proved, next);
    if (f >= 0 && (next === cap || f < 1e-4 * margin)) break;
    const slope = (f - fa) / (next - a);
    [a, fa] = [next, f];
    // aimed at a little above 0, so that the bound is met
    next = slope < 0 ? a + (0.3e-4 * margin - f) / slope : a * 0.98;
  }
  return { proved };
}
