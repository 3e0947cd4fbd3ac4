import type { Model, Weights } from '../../learn/model/model-model.js';
import { ask } from '../oracle.js';
import { schedule } from './schedule.js';

/** A group of samples under attack, as the searches see it. */
export interface Searched {
  readonly model: Model;
  readonly weights: Weights;
  /** [group, d]. */
  readonly originals: Float32Array;
  readonly predicted: Int32Array;
  /** Forward evaluations so far, by sample. */
  readonly queries: Int32Array;
  /** Ends the attack on a sample that gave NaN logits. */
  broken(slot: number): void;
}

/**
 * The class of each wanted row. One forward pass over the whole group, always of the same shape, so that a point meets the same
 * kernel whenever it is asked about; only wanted rows count as queries. A row with NaN logits is −1 and no longer wanted.
 */
export function answers(group: Searched, rows: Float32Array, wanted: Uint8Array): Int32Array {
  const found = ask(group.model, group.weights, rows, wanted.length);
  for (let slot = 0; slot < wanted.length; slot++) {
    if (wanted[slot] !== 1) continue;
    group.queries[slot]!++;
    if (found[slot] === -1) {
      group.broken(slot);
      wanted[slot] = 0;
    }
  }
  return found;
}

/** 1 for each wanted row that changes its sample's class. */
export function flips(group: Searched, rows: Float32Array, wanted: Uint8Array): Uint8Array {
  const found = answers(group, rows, wanted);
  return wanted.map((one, slot) => Number(one === 1 && found[slot] !== group.predicted[slot]));
}

/**
 * Moves each wanted point of `far`, adversarial, along the segment towards its original until the part of the segment that holds
 * the boundary is at most 10⁻⁵ of it; what is left in `far` is the adversarial end (paper, appendix D, step 3).
 */
export function searchBoundary(group: Searched, far: Float32Array, wanted: Uint8Array): void {
  const n = wanted.length;
  const d = far.length / n;
  const { originals } = group;
  const left = new Float64Array(n);
  const right = new Float64Array(n).fill(1);
  const rows = new Float32Array(far.length);
  const place = (slot: number, t: number, into: Float32Array): void => {
    for (let at = slot * d; at < (slot + 1) * d; at++) into[at] = (1 - t) * originals[at]! + t * far[at]!;
  };
  for (let halving = 0; halving < schedule.halvings; halving++) {
    for (let slot = 0; slot < n; slot++) place(slot, (left[slot]! + right[slot]!) / 2, rows);
    const flipped = flips(group, rows, wanted);
    for (let slot = 0; slot < n; slot++) {
      const middle = (left[slot]! + right[slot]!) / 2;
      if (flipped[slot] === 1) right[slot] = middle;
      else left[slot] = middle;
    }
  }
  for (let slot = 0; slot < n; slot++) if (wanted[slot] === 1) place(slot, right[slot]!, far);
}
