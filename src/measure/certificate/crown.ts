import { activationNamed } from '../../learn/model/activation.js';
import { biasOf, type DenseLayer, type Model, type Part, type Weights, weight } from '../../learn/model/model.js';
import type { tf } from '../../tensorflow/tf.js';
import { gram, norm, triangleAbove, UNIT } from './matrix.js';
import { type ActivationCurve, curves, type Line, linesOf } from './relaxation.js';

/** z = Wh + b in float64. */
export interface AffineLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** [outputs, inputs] */
  readonly kernel: Float64Array;
  readonly bias: Float64Array;
  /** Rounding of the sums of one output in float32, in any order, as a part of the sizes of their terms: (inputs + 4) · 2⁻²⁴. */
  readonly rounding: number;
}

/** A fully connected network: an activation behind every layer but the last. */
export interface Dense {
  readonly layers: readonly AffineLayer[];
  /** Undefined where two layers follow each other. */
  readonly curves: readonly (ActivationCurve | undefined)[];
  /**
   * Rows B of [outputs, columns] in place of the first kernel W: BBᵀ ⪰ WWᵀ, so that ‖Wᵀu‖ ≤ ‖Bᵀu‖. A triangle where the layer
   * has fewer outputs than inputs, else W.
   */
  readonly first: { readonly columns: number; readonly rows: Float64Array; readonly norms: Float64Array };
}

/** @returns the network in float64, or why it is none of dense layers and known activations, by the name of the layer */
export function denseOf(model: Model, weights: Weights): Dense | { readonly unknown: string } {
  if (model.parts === undefined) return { unknown: 'the model does not list the parts of its feature map' };
  const layers: AffineLayer[] = [];
  const between: (ActivationCurve | undefined)[] = [];
  let before: Part | undefined;
  for (const part of [...model.parts, model.readout]) {
    if (part.kind === 'conv') return { unknown: `layer '${part.name}' is a convolution` };
    if (part.kind === 'sum') return { unknown: 'it has residual blocks' };
    if (part.kind === 'bounded') {
      if (part.activation === undefined) return { unknown: `no relaxation of layer '${part.name}' is known` };
      if (before?.kind !== 'dense') return { unknown: `'${part.name}' has no dense layer before it` };
      between.push(curves[activationNamed(part.activation).name as keyof typeof curves]);
    } else {
      if (before?.kind === 'dense') between.push(undefined);
      layers.push(affineOf(weights, part));
    }
    before = part;
  }
  return { layers, curves: between, first: firstOf(layers[0]!) };
}

function affineOf(weights: Weights, layer: DenseLayer): AffineLayer {
  const tensor = weight<tf.Tensor2D>(weights, layer.kernel);
  const [inputs, outputs] = tensor.shape;
  const values = tensor.dataSync<'float32'>();
  const factor = layer.factor ?? 1;
  const kernel = new Float64Array(inputs * outputs);
  for (let i = 0, at = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++, at++) kernel[o * inputs + i] = values[at]! * factor;
  }
  const bias = weights.get(biasOf(layer))?.dataSync<'float32'>();
  return {
    inputs,
    outputs,
    kernel,
    bias: Float64Array.from({ length: outputs }, (_, o) => (bias?.[o] ?? 0) * factor),
    rounding: gamma(inputs + 4),
  };
}

/** n u/(1 − n u), u = 2⁻²⁴, and a thousandth more, which covers what float64 rounds (Higham 2002, section 3.1). */
const gamma = (n: number): number => (1.001 * n * 2 ** -24) / (1 - n * 2 ** -24);

function firstOf({ inputs, outputs, kernel }: AffineLayer): Dense['first'] {
  const norms = Float64Array.from(
    { length: outputs },
    (_, o) => norm(kernel.subarray(o * inputs, (o + 1) * inputs)) * (1 + 4 * (inputs + 4) * UNIT),
  );
  if (outputs >= inputs) return { columns: inputs, rows: kernel, norms };
  return { columns: outputs, rows: triangleAbove(gram(kernel, outputs, inputs), outputs, inputs), norms };
}

/** What a network is at one input: its first sums, and their sizes. */
export interface Center {
  /** Wx + b of the first layer. */
  readonly sums: Float64Array;
  /** |W||x| + |b| */
  readonly sizes: Float64Array;
}

export function centerOf({ layers }: Dense, x: ArrayLike<number>): Center {
  const { inputs, outputs, kernel, bias } = layers[0]!;
  const sums = Float64Array.from(bias);
  const sizes = bias.map(Math.abs);
  for (let o = 0, at = 0; o < outputs; o++) {
    let [sum, size] = [sums[o]!, sizes[o]!];
    for (let i = 0; i < inputs; i++, at++) {
      const term = kernel[at]! * x[i]!;
      sum += term;
      size += Math.abs(term);
    }
    sums[o] = sum;
    sizes[o] = size;
  }
  return { sums, sizes };
}

/** The relaxation of one hidden layer on a ball. */
interface Relaxed {
  readonly below: readonly Line[];
  readonly above: readonly Line[];
  /** How far float32 may move each sum. */
  readonly moved: Float64Array;
  /** |φ| at most, and how far float32 may move it. */
  readonly largest: Float64Array;
  readonly rounded: Float64Array;
}

/** Linear functions Σ a_i h_i + constant of one layer's outputs h, row by row. */
interface Rows {
  readonly count: number;
  readonly a: Float64Array;
  readonly constants: Float64Array;
}

/** A network with linear bounds on each of its activations, which hold on one ball: ℓ2, of radius ε around a center. */
export interface OnBall {
  readonly network: Dense;
  readonly center: Center;
  readonly epsilon: number;
  readonly hidden: readonly Relaxed[];
}

/**
 * CROWN (Zhang et al. 2018) in ℓ2, backward mode: layer by layer, the interval of each sum on the ball by going back to the input through
 * the lines of the layers before it, and lines for its activation on that interval. First sums are w·x ± ‖w‖₂ ε.
 *
 * What is bounded is the network as float32 computes it, at any float32 input in the ball, whatever the order of its sums: each sum may
 * be moved by (inputs + 4) · 2⁻²⁴ of the sizes of its terms, and an activation by 10⁻⁶ of its sum; that real arithmetic moves nothing is
 * the special case. Float64 rounds less than a thousandth of this, by which it is raised. Not covered: TF32 and bfloat16.
 *
 * @param lines makes the lines of an interval
 */
export function onBall(network: Dense, center: Center, epsilon: number, lines = linesOf): OnBall {
  const hidden: Relaxed[] = [];
  const ball = { network, center, epsilon, hidden };
  network.curves.forEach((curve, l) => {
    const layer = network.layers[l]!;
    const moved = l === 0 ? firstMoved(ball) : movedBy(layer, hidden[l - 1]!);
    const intervals = l === 0 ? firstIntervals(ball) : intervalsOf(ball, l);
    const { outputs } = layer;
    const below: Line[] = [];
    const above: Line[] = [];
    const [largest, rounded] = [new Float64Array(outputs), new Float64Array(outputs)];
    for (let o = 0; o < outputs; o++) {
      const [low, high] = [intervals[2 * o]! - moved[o]!, intervals[2 * o + 1]! + moved[o]!];
      const made = curve === undefined ? IDENTITY : lines(curve, low, high);
      below.push(made.below);
      above.push(made.above);
      const size = Math.max(Math.abs(low), Math.abs(high));
      largest[o] = curve === undefined ? size : curve === curves.relu ? Math.max(high, 0) : sizeOf(curve, size);
      rounded[o] = (curve?.rounding ?? 0) * Math.max(size, 1);
    }
    hidden.push({ below, above, moved, largest, rounded });
  });
  return ball;
}

const IDENTITY = { below: { slope: 1, offset: 0 }, above: { slope: 1, offset: 0 } };

/** |φ| ≤ |φ(0)| + max|φ'| |z|, and at most 1 for the bounded ones. */
const sizeOf = (curve: ActivationCurve, size: number): number =>
  curve === curves.gelu ? Math.max(size, 0.2) : Math.min(1, curve.value(0) + curve.lipschitz * size);

function firstMoved({ network: { layers, first }, center: { sizes }, epsilon }: Omit<OnBall, 'hidden'>): Float64Array {
  return sizes.map((size, o) => layers[0]!.rounding * (size + epsilon * first.norms[o]!));
}

/** By float32, of each output of a layer behind a relaxed one. */
function movedBy(
  { inputs, outputs, kernel, bias, rounding }: AffineLayer,
  { largest, rounded }: Relaxed,
): Float64Array {
  const moved = new Float64Array(outputs);
  for (let o = 0, at = 0; o < outputs; o++) {
    let sum = rounding * Math.abs(bias[o]!);
    for (let i = 0; i < inputs; i++, at++)
      sum += Math.abs(kernel[at]!) * (rounding * largest[i]! + 1.001 * rounded[i]!);
    moved[o] = sum;
  }
  return moved;
}

function firstIntervals({ network: { first }, center: { sums }, epsilon }: OnBall): Float64Array {
  const intervals = new Float64Array(2 * sums.length);
  sums.forEach((sum, o) => {
    intervals[2 * o] = sum - epsilon * first.norms[o]!;
    intervals[2 * o + 1] = sum + epsilon * first.norms[o]!;
  });
  return intervals;
}

/** The least and the largest value of each sum of layer l, without its own rounding. */
function intervalsOf(ball: OnBall, l: number): Float64Array {
  const { outputs, kernel, bias } = ball.network.layers[l]!;
  const a = new Float64Array(2 * kernel.length);
  a.set(kernel);
  for (let i = 0; i < kernel.length; i++) a[kernel.length + i] = -kernel[i]!;
  const constants = Float64Array.from({ length: 2 * outputs }, (_, r) =>
    r < outputs ? bias[r]! : -bias[r - outputs]!,
  );
  const least = atInput(ball, toFirst(ball, { count: 2 * outputs, a, constants }, l - 1));
  return Float64Array.from({ length: 2 * outputs }, (_, i) =>
    i % 2 === 0 ? least[i >> 1]! : -least[outputs + (i >> 1)]!,
  );
}

/** The margins of the logits of `label` over each rival, as functions of the last hidden layer, less their rounding. */
export function marginRows({ network, hidden }: OnBall, label: number, rivals: readonly number[]): Rows {
  const { inputs, kernel, bias, ...last } = network.layers.at(-1)!;
  const moved = hidden.length === 0 ? undefined : movedBy({ inputs, kernel, bias, ...last }, hidden.at(-1)!);
  const a = new Float64Array(rivals.length * inputs);
  const constants = new Float64Array(rivals.length);
  rivals.forEach((rival, r) => {
    for (let i = 0; i < inputs; i++) a[r * inputs + i] = kernel[label * inputs + i]! - kernel[rival * inputs + i]!;
    constants[r] = bias[label]! - bias[rival]! - (moved === undefined ? 0 : moved[label]! + moved[rival]!);
  });
  return { count: rivals.length, a, constants };
}

/** Rows that are functions of the outputs of hidden layer `from`, as functions of those of the first one: none of them above. */
export function toFirst(ball: OnBall, rows: Rows, from: number): Rows {
  let { a } = rows;
  const constants = Float64Array.from(rows.constants);
  for (let l = from; l > 0; l--) {
    const { inputs, outputs, kernel, bias } = ball.network.layers[l]!;
    const next = new Float64Array(rows.count * inputs);
    for (let r = 0; r < rows.count; r++) {
      const slopes = sloped(ball.hidden[l]!, a.subarray(r * outputs, (r + 1) * outputs));
      constants[r]! += slopes.constant;
      const row = next.subarray(r * inputs, (r + 1) * inputs);
      for (let o = 0; o < outputs; o++) {
        const s = slopes.values[o]!;
        if (s === 0) continue;
        constants[r]! += s * bias[o]!;
        for (let i = 0, at = o * inputs; i < inputs; i++, at++) row[i]! += s * kernel[at]!;
      }
    }
    a = next;
  }
  return { count: rows.count, a, constants };
}

/** Σ a φ(z) ≥ Σ s z + constant, for sums z that float32 may have moved. */
export function sloped({ below, above, moved }: Relaxed, a: Float64Array): { values: Float64Array; constant: number } {
  const values = new Float64Array(a.length);
  let constant = 0;
  for (let i = 0; i < a.length; i++) {
    const coefficient = a[i]!;
    const { slope, offset } = coefficient > 0 ? below[i]! : above[i]!;
    values[i] = coefficient * slope;
    constant += coefficient * offset - Math.abs(values[i]!) * moved[i]!;
  }
  return { values, constant };
}

/** The least value of each row on the ball, from below, where the rows are functions of the first hidden layer. */
function atInput(ball: OnBall, { count, a, constants }: Rows): Float64Array {
  const { network, center, epsilon, hidden } = ball;
  const n = center.sums.length;
  return Float64Array.from({ length: count }, (_, r) => {
    const { values, constant } = sloped(hidden[0]!, a.subarray(r * n, (r + 1) * n));
    let sum = constants[r]! + constant;
    for (let o = 0; o < n; o++) sum += values[o]! * center.sums[o]!;
    return sum - epsilon * norm(combined(network.first, values));
  });
}

/** Bᵀs */
export function combined({ columns, rows }: Dense['first'], s: Float64Array): Float64Array {
  const g = new Float64Array(columns);
  for (let o = 0; o < s.length; o++) {
    const value = s[o]!;
    if (value === 0) continue;
    for (let c = 0, at = o * columns; c < columns; c++, at++) g[c]! += value * rows[at]!;
  }
  return g;
}

/** Bounds from below on the margins of `label` over the rivals, on the ball. */
export function marginsOn(ball: OnBall, label: number, rivals: readonly number[]): Float64Array {
  const rows = marginRows(ball, label, rivals);
  if (ball.hidden.length > 0) return atInput(ball, toFirst(ball, rows, ball.hidden.length - 1));
  const { network, center, epsilon } = ball;
  const { inputs, kernel, rounding } = network.layers[0]!; // linear: the layer is the readout
  return Float64Array.from(rivals, (rival) => {
    const w = Float64Array.from(
      { length: inputs },
      (_, i) => kernel[label * inputs + i]! - kernel[rival * inputs + i]!,
    );
    const sizes = [label, rival].reduce((sum, o) => sum + center.sizes[o]! + epsilon * network.first.norms[o]!, 0);
    return center.sums[label]! - center.sums[rival]! - rounding * sizes - epsilon * norm(w);
  });
}

/** How closely the largest radius is searched, as a part of it. */
const CLOSENESS = 1e-4;

/**
 * The largest radius on which CROWN holds every margin at 0 or above, by bisection of a bracket that is found by doubling; 0 where
 * rounding may use up the margin at the center itself, infinite where nothing does.
 */
export function crownRadius(network: Dense, center: Center, label: number, rivals: readonly number[]): number {
  const least = (epsilon: number): number => Math.min(...marginsOn(onBall(network, center, epsilon), label, rivals));
  let low = 0;
  let atLow = least(0);
  if (!(atLow >= 0)) return 0;
  let high = 2 ** -6;
  let atHigh = least(high);
  while (atHigh >= 0) {
    [low, atLow] = [high, atHigh];
    high *= 2;
    if (high > 2 ** 40) return Number.POSITIVE_INFINITY;
    atHigh = least(high);
  }
  while (high - low > CLOSENESS * high) {
    const secant = low + ((high - low) * atLow) / (atLow - atHigh);
    // a chord's point keeps one end; a fifth of the bracket inside of it both move
    const inner = Math.min(Math.max(secant, low + 0.05 * (high - low)), high - 0.05 * (high - low));
    const value = least(inner);
    if (value >= 0) [low, atLow] = [inner, value];
    else [high, atHigh] = [inner, value];
    const middle = (low + high) / 2;
    if (high - low <= CLOSENESS * high) break;
    const halved = least(middle);
    if (halved >= 0) [low, atLow] = [middle, halved];
    else [high, atHigh] = [middle, halved];
  }
  return low;
}
