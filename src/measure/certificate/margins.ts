import { type ByNorm, type Model, type Weights, weight } from '../../learn/model/model.js';
import type { tf } from '../../tensorflow/tf.js';

/** A bound that is not met within floats: 0 where nothing is left of the margin, infinite where nothing can use it up. */
export function quotient(margin: number, slope: number): number {
  if (Number.isNaN(margin) || Number.isNaN(slope)) return Number.NaN;
  if (margin <= 0) return 0;
  return slope === 0 ? Number.POSITIVE_INFINITY : margin / slope;
}

/** The readout's kernel, as numbers. */
export interface ReadoutKernel {
  /** [width, classes], row by row, without the factor. */
  readonly kernel: Float32Array;
  readonly classes: number;
  /** What the logits are multiplied by. */
  readonly factor: number;
}

export const readoutOf = (model: Model, weights: Weights): ReadoutKernel => ({
  kernel: weight<tf.Tensor2D>(weights, model.readout.kernel).dataSync<'float32'>(),
  classes: model.classes,
  factor: model.readout.factor ?? 1,
});

/** What stands between a sample and one wrong class k; w = W_c − W_k. */
export interface Margin {
  /** k */
  readonly rival: number;
  /** w·Φ(x) + b_c − b_k: the difference of the logits, without their factor. */
  readonly margin: number;
  /** Part of the margin that float32 may have made: 2·10⁻⁶ of the sizes it is a difference of. */
  readonly rounding: number;
  /** θ_x = w·Φ(x) / (‖w‖₂ ‖Φ(x)‖₂), without the biases (paper, lemma 1). */
  readonly theta: number;
  /** ‖w‖_q for perturbations measured in ℓp, 1/p + 1/q = 1 (A.1). */
  readonly readoutNorm: ByNorm<number>;
}

const FLOAT32 = 2e-6;

/** The margins of class `label` over every other class, in order. None where there is one class. */
export function marginsOf(
  { kernel, classes, factor }: ReadoutKernel,
  features: Float32Array,
  logits: Float32Array,
  label: number,
): Margin[] {
  const featureNorm = lengthOf(features);
  const rivals = Array.from({ length: classes }, (_, k) => k).filter((k) => k !== label);
  return rivals.map((rival) => {
    let [along, sizes, sum, squares, largest] = [0, 0, 0, 0, 0];
    for (let i = 0; i < features.length; i++) {
      const w = kernel[i * classes + label]! - kernel[i * classes + rival]!;
      along += w * features[i]!;
      sizes += Math.abs(w * features[i]!);
      sum += Math.abs(w);
      squares += w * w;
      largest = Math.max(largest, Math.abs(w));
    }
    const [own, other] = [logits[label]! / factor, logits[rival]! / factor];
    const norm = Math.sqrt(squares);
    return {
      rival,
      margin: own - other,
      theta: along / (norm * featureNorm),
      rounding: FLOAT32 * (sizes + Math.abs(own) + Math.abs(other)),
      readoutNorm: { l1: largest, l2: norm, linf: sum },
    };
  });
}

/** ‖a‖₂ */
export const lengthOf = (a: Float32Array): number => Math.sqrt(a.reduce((sum, value) => sum + value * value, 0));
