import type { Model, Weights } from '../learn/model/model-model.js';
import { tf } from '../tensorflow/device-tf.js';
import { type LabeledSamples, writeInput } from './measure-inputs.js';

/** What a network makes of one sample. */
export interface Row {
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
): Row[] {
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
export function crossEntropyOf({ logits, label }: Pick<Row, 'logits' | 'label'>): number {
  const top = Math.max(...logits);
  return Math.log(logits.reduce((sum, value) => sum + Math.exp(value - top), 0)) + top - logits[label]!;
}
