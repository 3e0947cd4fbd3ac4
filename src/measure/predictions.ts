import { sizeOf } from '../flow/data.js';
import { keyed } from '../flow/random.js';
import type { Model, Weights } from '../learn/model/model.js';
import { tf } from '../tensorflow/tf.js';
import { type LabeledSamples, type Normalization, writeInput } from './inputs.js';

/** The class of each row of logits [n, classes], ties to the lower one; −1 where any logit of the row is NaN. */
export function classes(logits: tf.Tensor2D): Int32Array {
  const [n, k] = logits.shape;
  const values = logits.dataSync();
  const best = new Int32Array(n);
  for (let row = 0, at = 0; row < n; row++, at += k) {
    let top = 0;
    for (let j = 0; j < k; j++) {
      const value = values[at + j]!;
      if (Number.isNaN(value)) {
        top = -1;
        break;
      }
      if (value > values[at + top]!) top = j;
    }
    best[row] = top;
  }
  return best;
}

/** What the model says of `n` inputs that lie one after the other in `rows`. */
export function ask(model: Model, weights: Weights, rows: Float32Array, n: number): Int32Array {
  const logits = tf.tidy(() => model.logits(weights, tf.tensor(rows, [n, ...model.inputShape])));
  const found = classes(logits);
  logits.dispose();
  return found;
}

/** The logits of `n` inputs that lie one after the other in `rows`: [n, classes]. */
export function logitsOf(model: Model, weights: Weights, rows: Float32Array, n: number): Float32Array {
  const logits = tf.tidy(() => model.logits(weights, tf.tensor(rows, [n, ...model.inputShape])));
  const values = logits.dataSync<'float32'>();
  logits.dispose();
  return values;
}

/**
 * The class of the k logits that begin at `at`, ties to the lower one, −1 where any is NaN; and by how much the best class other than
 * `predicted` leads it, in parts of the largest logit by its absolute value, never above 2.
 */
export function leader(
  logits: Float32Array,
  at: number,
  k: number,
  predicted: number,
): { label: number; lead: number } {
  const own = logits[at + predicted]!;
  let [label, best, largest] = [0, Number.NEGATIVE_INFINITY, 0];
  for (let j = 0; j < k; j++) {
    const value = logits[at + j]!;
    if (Number.isNaN(value)) return { label: -1, lead: Number.NaN };
    if (value > logits[at + label]!) label = j;
    if (j !== predicted && value > best) best = value;
    largest = Math.max(largest, Math.abs(value));
  }
  return { label, lead: largest === 0 ? 0 : (best - own) / largest };
}

/** What a network makes of one sample. */
export interface Prediction {
  readonly label: number;
  /** Φ(x), of the width of the model. */
  readonly features: Float32Array;
  /** F(x), one a class. */
  readonly logits: Float32Array;
}

/** Features and logits of some samples, in one pass. @param length values in a sample */
export function rowsOf(
  model: Model,
  weights: Weights,
  samples: LabeledSamples,
  indices: readonly number[],
  length: number,
): Prediction[] {
  const inputs = new Float32Array(indices.length * length);
  for (const [i, index] of indices.entries()) writeInput(samples, index, inputs, i * length);
  const x = tf.tensor(inputs, [indices.length, ...model.inputShape]);
  const [features, logits] = [model.features(weights, x), model.logits(weights, x)];
  const [f, l] = [features.dataSync<'float32'>(), logits.dataSync<'float32'>()];
  tf.dispose([x, features, logits]);
  const width = f.length / indices.length;
  return indices.map((index, i) => ({
    label: samples.labels[index]!,
    features: f.subarray(i * width, (i + 1) * width),
    logits: l.subarray(i * model.classes, (i + 1) * model.classes),
  }));
}

/** −log softmax(logits)[label], in nats. */
export function crossEntropyOf({ logits, label }: Pick<Prediction, 'logits' | 'label'>): number {
  const top = Math.max(...logits);
  return Math.log(logits.reduce((sum, value) => sum + Math.exp(value - top), 0)) + top - logits[label]!;
}

/** Samples looked at in one forward pass: always so many rows, so that the order of the data changes no kernel. */
export const LOOKED_AT = 100;

/** The places 0 … size − 1 in a random order: a function of seed, purpose and counters alone. */
export function shuffled(
  size: number,
  seed: number,
  purpose: 'order' | 'others' = 'order',
  ...counters: number[]
): Uint32Array {
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  const random = keyed(seed, `tangent attack/${purpose}`, ...counters);
  for (let i = size - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Which of the `LOOKED_AT` samples from place `from` of the order on are classified correctly, by index. */
export function correctOnes(
  model: Model,
  weights: Weights,
  samples: LabeledSamples,
  order: Uint32Array,
  from: number,
  normalize?: Normalization,
): number[] {
  const indices = order.subarray(from, from + LOOKED_AT);
  const d = sizeOf(model.inputShape);
  const rows = new Float32Array(LOOKED_AT * d);
  indices.forEach((index, row) => {
    writeInput(samples, index, rows, row * d, normalize);
  });
  const found = ask(model, weights, rows, LOOKED_AT);
  return [...indices].filter((index, row) => found[row] === samples.labels[index]);
}

/**
 * All samples by their ℓ2 distance from one of them, in units of the model's input, the nearest first; of equal ones the one with the
 * lower index. The sample itself is left out.
 */
export function nearestFirst(samples: LabeledSamples, index: number, normalize?: Normalization): Uint32Array {
  const { size, values, sampleShape } = samples;
  const d = sizeOf(sampleShape);
  const weights = Float64Array.from({ length: d }, (_, i) => {
    const std = normalize === undefined ? 1 : normalize.std[i % normalize.std.length]!;
    return std ** -2; // bytes are all scaled alike
  });
  const away = new Float64Array(size);
  for (let other = 0, at = 0; other < size; other++) {
    let sum = 0;
    for (let i = 0, own = index * d; i < d; i++, at++, own++) {
      const difference = values[at]! - values[own]!;
      sum += difference * difference * weights[i]!;
    }
    away[other] = sum;
  }
  const order = Uint32Array.from(away.keys()).sort((a, b) => away[a]! - away[b]! || a - b);
  return order.filter((other) => other !== index);
}
