import type { Box } from '../data/dataset.js';
import { WeirError } from '../flow/errors.js';
import type { NormalizedBy } from '../flow/header.js';
import { tf } from '../tensorflow/tf.js';

/** A box as attacks and adversaries work with it: by input value. */
export interface Limits {
  /** [d], and so `upper`; float32, as inputs are. */
  readonly lower: Float32Array;
  readonly upper: Float32Array;
  /** How wide it is; the mean over channels where these differ. */
  readonly width: number;
  /** Inputs [n, d] brought into the box. */
  clip(inputs: tf.Tensor): tf.Tensor;
}

/**
 * The box where none was given: what the values of the data become, by channel; those of pixels are 0 to 1.
 *
 * Normalized with CIFAR-10's constants that is [−2.43, 2.51], [−2.42, 2.60] and [−2.22, 2.75].
 *
 * @example usualBox(cifar10Statistics) // { min: [−2.43, …], max: [2.51, …] }
 */
export function usualBox(normalize: NormalizedBy | undefined, data: Box = { min: 0, max: 1 }): Box {
  if (normalize === undefined) return data;
  const { mean, std } = normalize;
  const at = (bound: number | readonly number[]): number[] => {
    const bounds = [bound].flat();
    return Array.from({ length: Math.max(mean.length, std.length, bounds.length) }, (_, c) =>
      Math.fround((bounds[c % bounds.length]! - mean[c % mean.length]!) / std[c % std.length]!),
    );
  };
  return { min: at(data.min), max: at(data.max) };
}

/** @throws {WeirError} for a box that holds nothing, or has ranges for another number of channels than inputs have */
export function limitsOf(stage: string, box: Box, d: number): Limits {
  for (const key of ['min', 'max'] as const) {
    const bounds = [box[key] as unknown].flat();
    const odd = bounds.findIndex((value) => typeof value !== 'number');
    if (odd === -1) continue;
    const found = bounds[odd] === undefined ? 'missing' : JSON.stringify(bounds[odd]);
    throw new WeirError(
      `stage '${stage}': ${key} of the box is ${found}, not a number`,
      'give { box: { min, max } }, each one number, or a list with a number for each channel',
    );
  }
  const [least, most] = [box.min, box.max].map((bound) => (typeof bound === 'number' ? [bound] : bound)) as [
    readonly number[],
    readonly number[],
  ];
  for (const [key, { length }] of [
    ['min', least],
    ['max', most],
  ] as const) {
    if (length > 0 && d % length === 0) continue;
    throw new WeirError(
      `stage '${stage}': the box has ${length} values of ${key}, and inputs have ${d} values`,
      `give ${key} as one number, or as a list with a number for each channel`,
    );
  }
  const of = (bounds: readonly number[]): Float32Array =>
    Float32Array.from({ length: d }, (_, i) => bounds[i % bounds.length]!);
  const [lower, upper] = [of(least), of(most)]; // where both are the same, as for a feature that is constant, the attack changes nothing
  if (
    lower.some((value, i) => !(value <= upper[i]!) || !Number.isFinite(upper[i]! - value)) ||
    !lower.some((value, i) => value < upper[i]!)
  ) {
    throw new WeirError(
      `stage '${stage}': the box is ${boxText(box)}`,
      'give finite numbers, min below max: the values that an input may take, in the units of the model',
    );
  }
  const width = upper.reduce((sum, value, i) => sum + value - lower[i]!, 0) / d;
  const uniform = least.length === 1 && most.length === 1;
  return {
    lower,
    upper,
    width: uniform ? most[0]! - least[0]! : width,
    clip: (inputs) =>
      uniform
        ? tf.clipByValue(inputs, least[0]!, most[0]!)
        : tf.tidy(() => tf.minimum(tf.maximum(inputs, tf.tensor1d(lower)), tf.tensor1d(upper))),
  };
}

/** '[0, 1]', or '[−2.43, 2.51], [−2.42, 2.60]' by channel. */
export function boxText({ min, max }: Box): string {
  const [least, most] = [min, max].map((bound) => (typeof bound === 'number' ? [bound] : bound)) as [
    number[],
    number[],
  ];
  const n = Math.max(least.length, most.length);
  const short = (value: number): string => String(Number(value.toPrecision(4)));
  return Array.from(
    { length: n },
    (_, c) => `[${short(least[c % least.length]!)}, ${short(most[c % most.length]!)}]`,
  ).join(', ');
}
