import { type Model, type Weights, weight } from '../../learn/model/model.js';
import { tf } from '../../tensorflow/tf.js';
import {
  type AffineLayer,
  type Center,
  centerOf,
  crownRadius,
  denseOf,
  marginRows,
  onBall,
  sloped,
  toFirst,
} from './crown.js';
import { norm } from './matrix.js';
import { gridLines } from './relaxation.js';

/** A sample whose radius is wanted. */
export interface Wanted {
  /** Its place in the group, from 0 on. */
  readonly slot: number;
  readonly x: Float32Array;
  /** The class that is proved to stay: that which the network gives x. */
  readonly label: number;
  /** A radius to begin at, such as half of a distance that an attack found. */
  readonly guess: number;
}

/** Where the search for one sample's radius stands. */
interface Bracket extends Wanted {
  readonly center: Center;
  readonly rivals: readonly number[];
  /** The margin at the sample itself. */
  readonly whole: number;
  /** The largest radius that is proved, and the margin there. */
  low: number;
  atLow: number;
  /** The smallest that is not. */
  high: number;
  atHigh: number;
  next: number;
  done: boolean;
}

const TRIES = 20; // balls of one sample, at most; four or five are usual
const TINY = 1e-30; // more than what float32 flushes to 0 of a vector
const CLOSE = 3e-3; // of the margin at the sample: a bound that leaves less ends its search

/**
 * Radii in ℓ2 by plain CROWN (`onBall`) for the samples of a group at once: what they prove is what `crownRadius` proves, for a small part
 * of its time. Three things make it cheap. The products Wᵀs with the first kernel, nearly all of the work, are one float32 product of
 * TensorFlow for all samples and rivals. Lines are those of an interval that is rounded outwards to a grid, where they are known. The
 * search takes a handful of balls, by chords: the margin is concave in the radius, or nearly so.
 *
 * ‖Wᵀs‖ in float32 is off by at most (outputs + 4) · 2⁻²⁴ ‖W‖_F ‖s‖ in any order of its sums, s being rounded, and is raised by that; so
 * TF32 and bfloat16 are not covered here either. A radius is about a per cent smaller than that of `crownRadius`.
 *
 * @param size places in a group: the product has the same shape whoever is in it, so a sample's bits do not depend on the others
 * @returns undefined for a model that is none of dense layers; else the radius of each wanted sample, 0 where nothing is proved
 */
export function groupRadii(
  model: Model,
  weights: Weights,
  size: number,
): ((wanted: readonly Wanted[]) => Float64Array) | undefined {
  const network = denseOf(model, weights);
  if ('unknown' in network) return undefined;
  const classes = model.classes;
  const all = Array.from({ length: classes }, (_, k) => k);
  if (network.curves.length === 0) {
    return (wanted) =>
      Float64Array.from(wanted, ({ x, label }) =>
        crownRadius(
          network,
          centerOf(network, x),
          label,
          all.filter((k) => k !== label),
        ),
      );
  }
  const [layer] = network.layers as [AffineLayer];
  const frobenius = norm(layer.kernel);
  const firstPart = [...model.parts!, model.readout].find(({ kind }) => kind === 'dense') as {
    kernel: string;
    factor?: number;
  };
  const { factor = 1 } = firstPart;
  const kernel = weight<tf.Tensor2D>(weights, firstPart.kernel); // [inputs, outputs]

  /** The least margin of each sample on its next ball. */
  const marginsOf = (open: readonly Bracket[]): Float64Array => {
    const { outputs, inputs } = layer;
    const rows = new Float32Array(size * (classes - 1) * outputs);
    const partial = open.map(({ slot, center, label, rivals, next }) => {
      const ball = onBall(network, center, next, gridLines);
      const { a, constants } = toFirst(ball, marginRows(ball, label, rivals), ball.hidden.length - 1);
      return rivals.map((_, r) => {
        const { values, constant } = sloped(ball.hidden[0]!, a.subarray(r * outputs, (r + 1) * outputs));
        rows.set(values, (slot * (classes - 1) + r) * outputs);
        let sum = constants[r]! + constant;
        for (let o = 0; o < outputs; o++) sum += values[o]! * center.sums[o]!;
        return { sum, raised: (gammaOf(outputs) * norm(values) + TINY) * frobenius };
      });
    });
    const products = tf.tidy(() => tf.matMul(tf.tensor2d(rows, [size * (classes - 1), outputs]), kernel, false, true));
    const found = products.dataSync<'float32'>();
    products.dispose();
    return Float64Array.from(open, ({ slot, next }, i) =>
      Math.min(
        ...partial[i]!.map(({ sum, raised }, r) => {
          const at = (slot * (classes - 1) + r) * inputs;
          let square = 0;
          for (let c = at; c < at + inputs; c++) square += found[c]! * found[c]!;
          return sum - next * (Math.abs(factor) * Math.sqrt(square) * (1 + 1e-12) + raised);
        }),
      ),
    );
  };

  /** The least margin of each at the sample itself, as the network has it: a guide of the search alone. */
  const atSamples = (wanted: readonly Wanted[]): number[] => {
    const inputs = new Float32Array(size * layer.inputs);
    for (const { slot, x } of wanted) inputs.set(x, slot * layer.inputs);
    const logits = tf.tidy(() => model.logits(weights, tf.tensor(inputs, [size, ...model.inputShape])));
    const values = logits.dataSync<'float32'>();
    logits.dispose();
    return wanted.map(({ slot, label }) => {
      const own = values.subarray(slot * classes, (slot + 1) * classes);
      return own[label]! - Math.max(...own.filter((_, k) => k !== label));
    });
  };

  return (wanted) => {
    const whole = atSamples(wanted);
    const brackets = wanted.map((one, i): Bracket => {
      const center = centerOf(network, one.x);
      const rivals = all.filter((k) => k !== one.label);
      const [low, high] = [0, Number.POSITIVE_INFINITY]; // a radius of 0 needs no proof
      const next = one.guess > 0 && Number.isFinite(one.guess) ? one.guess : 2 ** -6;
      const done = rivals.length === 0 || !(whole[i]! > 0);
      return { ...one, center, rivals, whole: whole[i]!, low, atLow: whole[i]!, high, atHigh: Number.NaN, next, done };
    });
    for (let tried = 0; tried < TRIES; tried++) {
      const open = brackets.filter(({ done }) => !done);
      if (open.length === 0) break;
      const margins = marginsOf(open);
      open.forEach((one, i) => {
        step(one, margins[i]!);
      });
    }
    return Float64Array.from(brackets, ({ low, rivals }) => (rivals.length === 0 ? Number.POSITIVE_INFINITY : low));
  };
}

const gammaOf = (n: number): number => (1.001 * (n + 4) * 2 ** -24) / (1 - (n + 4) * 2 ** -24);

/** Takes the margin on the ball that was tried, and chooses the next. */
function step(one: Bracket, margin: number): void {
  const at = one.next;
  if (margin >= 0) [one.low, one.atLow] = [at, margin];
  else [one.high, one.atHigh] = [at, margin];
  const { low, atLow, high, atHigh, whole } = one;
  const proved = margin >= 0 && margin <= CLOSE * whole;
  one.done = !Number.isFinite(margin) || proved || high <= (1 + 1e-4) * low;
  if (high === Number.POSITIVE_INFINITY) {
    const fall = whole - atLow; // none on a ball so small that the lines of the grid are those of the sample
    one.next = fall > 0 ? Math.min((1.02 * low * whole) / fall, 8 * low) : 8 * low;
  } else {
    // aimed at half of what is close enough: at 0 itself chords may come from above for long
    const chord = low + ((high - low) * (atLow - (CLOSE / 2) * whole)) / (atLow - atHigh);
    // a bracket whose ends are far apart, where the margin is no straight line, is halved in its logarithm
    const middle = low > 0 ? Math.sqrt(low * high) : high / 8;
    one.next = high > 1.5 * low && margin < 0 ? Math.max(chord, middle) : Math.max(chord, low + 0.02 * (high - low));
  }
}
