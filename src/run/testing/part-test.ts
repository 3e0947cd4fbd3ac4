import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { type Data, sizeOf } from '../../flow/data.js';
import { keyed } from '../../flow/random.js';
import type { Model, Weights } from '../../learn/model/model.js';
import type { Batch } from '../../learn/train.js';
import type { Update } from '../../learn/update.js';
import { loadTensorFlow, tf } from '../../tensorflow/tf.js';
import { difference } from './difference.js';

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

/**
 * Refuses what is not the expected plain data to the bit, and says where it first differs. Of many thousand values, `deepEqual` of node:assert
 * would take half a minute to lay all differences out.
 */
export function same(found: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(found, expected)) return;
  const place = difference(expected as Data, found as Data);
  const { field, recorded, replayed, more } = place ?? { field: '', recorded: 'another', replayed: 'this', more: '' };
  assert.fail(`${what}: ${field || 'it'} is ${replayed}, and should be ${recorded}${more && `; ${more}`}`);
}

/** The slope that a gradient has along a direction, and how a value changes there: by central differences of several steps. */
export interface Slope {
  readonly slope: number;
  readonly differences: readonly number[];
}

/** Half the distance of two points that a value is compared at: where a kink lies within the first, the second mostly leaves it out. */
const steps = [0.005, 0.001];

/** How a value changes at 0, by each of `steps`. */
export const differencesOf = (value: (step: number) => number): number[] =>
  steps.map((step) => (value(step) - value(-step)) / (2 * step));

/**
 * Refuses a gradient that is not the slope of its value in most of some places. A value may have kinks, as |w| at 0 or a hinge: a
 * difference across one is no slope, though the gradient is right. A wrong gradient is wrong nearly everywhere.
 *
 * @param most difference that counts as none, besides 1 % of the slope
 */
export function assertSlopes(slopes: readonly Slope[], most: number, name: string): void {
  const agrees = ({ slope, differences }: Slope): boolean =>
    differences.some((difference) => Math.abs(difference - slope) < most + 0.01 * Math.abs(slope));
  const odd = slopes.filter((one) => !agrees(one));
  if (2 * odd.length < slopes.length) return;
  const [{ slope, differences }] = odd as [Slope];
  assert.fail(
    `${name} is not the slope of the value at ${odd.length} of ${slopes.length} points: at the first its slope is ${slope}, and the value's by differences ${differences.join(' or ')}`,
  );
}
