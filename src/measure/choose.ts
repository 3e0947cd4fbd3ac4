import { keyed } from '../flow/seed.js';
import type { Model, Weights } from '../learn/model/model-model.js';
import { type LabeledSamples, type Normalization, writeInput } from './measure-inputs.js';
import { ask } from './oracle.js';

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
  const d = model.inputShape.reduce((size, extent) => size * extent, 1);
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
  const d = sampleShape.reduce((product, extent) => product * extent, 1);
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
