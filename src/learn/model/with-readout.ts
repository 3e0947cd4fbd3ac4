import { tf } from '../../tensorflow/device-tf.js';
import type { Model, Weights } from './model-model.js';

/** A readout as a logistic regression gives it: logits = Φ(x) · coefficientsᵀ + intercepts. */
export interface NewReadout {
  /** [classes, width]. */
  readonly coefficients: Float64Array;
  /** [classes]. */
  readonly intercepts: Float64Array;
}

/**
 * The two weights of a model's readout, by name, that make its logits those of another one. The model's factor on its logits is
 * divided out, so they come out as they are asked for. New tensors; they belong to the caller.
 *
 * @example new Map([...weights, ...readoutWeights(model, fitted)])
 */
export function readoutWeights(model: Model, { coefficients, intercepts }: NewReadout): Weights {
  const { kernel, factor = 1 } = model.readout;
  const classes = intercepts.length;
  const width = coefficients.length / classes;
  const values = new Float32Array(coefficients.length);
  for (let k = 0; k < classes; k++) {
    for (let j = 0; j < width; j++) values[j * classes + k] = coefficients[k * width + j]! / factor;
  }
  return new Map<string, tf.Tensor>([
    [kernel, tf.tensor2d(values, [width, classes])],
    [kernel.replace(/kernel$/, 'bias'), tf.tensor1d(Float32Array.from(intercepts, (value) => value / factor))],
  ]);
}
