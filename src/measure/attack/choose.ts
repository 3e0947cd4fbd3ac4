import { keyed } from '../../core/seed.js';
import type { Model, Weights } from '../../learn/model/model.js';
import { type LabelledSamples, type Normalisation, writeInput } from '../inputs.js';
import { ask } from './oracle.js';

/** Samples looked at in one forward pass: always so many rows, so that the order of the data changes no kernel. */
export const LOOKED_AT = 100;

/** The first `count` places of 0 … size − 1 in a random order: a function of the seed alone. */
export function shuffled(size: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  const random = keyed(seed, 'tangent attack/order');
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
  samples: LabelledSamples,
  order: Uint32Array,
  from: number,
  normalise?: Normalisation,
): number[] {
  const indices = order.subarray(from, from + LOOKED_AT);
  const d = model.inputShape.reduce((size, extent) => size * extent, 1);
  const rows = new Float32Array(LOOKED_AT * d);
  indices.forEach((index, row) => {
    writeInput(samples, index, rows, row * d, normalise);
  });
  const found = ask(model, weights, rows, LOOKED_AT);
  return [...indices].filter((index, row) => found[row] === samples.labels[index]);
}
