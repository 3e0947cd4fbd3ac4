import { sizeOf } from '../../flow/data.js';
import { keyed } from '../../flow/random.js';
import type { Model, Weights } from '../../learn/model/model.js';
import type { Batch } from '../../learn/train.js';
import type { Update } from '../../learn/update.js';
import { loadTensorFlow, tf } from '../../tensorflow/tf.js';

/**
 * One rule that a part must keep, for any test runner: `run` loads TensorFlow and rejects with an error that says where the rule is broken.
 *
 * @example
 * for (const { name, run } of regularizerTests({ make: orthogonal })) test(name, run); // of vitest, node:test, …
 */
export interface PartTest {
  /** The rule, as a sentence. */
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Checks by the rule that they hold a part to. */
export const partTests = (checks: Readonly<Record<string, () => void | Promise<void>>>): PartTest[] =>
  Object.entries(checks).map(([name, check]) => ({
    name,
    async run() {
      await loadTensorFlow();
      await check();
    },
  }));

/** n samples of the shape from N(0, 1), float32 [n, ...shape], by that key. The tensor belongs to the caller. */
export function samplesOf(shape: readonly number[], n: number, key = 1): tf.Tensor {
  const random = keyed(key, 'samples of a test');
  return tf.tensor(
    Float32Array.from({ length: n * sizeOf(shape) }, () => random.normal()),
    [n, ...shape],
  );
}

/** Labels 0, 1, …, classes − 1, 0, …: int32 [n]. */
export const labelsOf = (classes: number, n: number): tf.Tensor1D =>
  tf.tensor1d(
    Int32Array.from({ length: n }, (_, i) => i % classes),
    'int32',
  );

/** Batches of random samples for the model's training, `perEpoch` an epoch; the number counts from 1. */
export function batchFor({ inputShape, classes }: Model, number: number, perEpoch: number, size: number): Batch {
  const epoch = Math.ceil(number / perEpoch);
  const random = keyed(7, 'batch of a test', number);
  return {
    position: size * number,
    epoch,
    remaining: size * (epoch * perEpoch - number),
    sampleShape: inputShape,
    values: Float32Array.from({ length: size * sizeOf(inputShape) }, () => random.normal()),
    labels: Uint8Array.from({ length: size }, (_, i) => (i + number) % classes),
  };
}

/** An update with those weights, the tenth by default, for a stage that measures. The tensors stay the caller's. */
export const updateWith = (weights: Weights, number = 10): Update => ({
  position: 64 * number,
  number,
  epoch: Math.ceil(number / 5),
  endsEpoch: true,
  weights,
  loss: () => 1 / (number + 1),
  epochLoss: () => 1,
  epochAccuracy: () => 0.5,
});

/**
 * The update before the training and two after it, of a model's first weights: items for `stageTests` of a measurement. The weights stand
 * for ever. TensorFlow has to be loaded.
 *
 * @example stageTests({ make: weightSizes, items: () => updatesFor(mlp([2, 4, 2])) })
 */
export function updatesFor(model: Model): Update[] {
  const weights = model.start(7);
  return [0, 1, 2].map((number) => updateWith(weights, number));
}

/** The values of tensors, one behind another. */
export const valuesOf = (tensors: Iterable<tf.Tensor>): number[] => [...tensors].flatMap((one) => [...one.dataSync()]);

/** The sum of the products of all values. */
export const pairing = (a: tf.Tensor, b: tf.Tensor): number => tf.tidy(() => tf.sum(tf.mul(a, b)).dataSync()[0]!);
