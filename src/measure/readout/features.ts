import { WeirError } from '../../flow/errors.js';
import type { Model, Weights } from '../../learn/model/model-model.js';
import { tf } from '../../tensorflow/device-tf.js';
import { hasNative } from '../../tensorflow/ops/device-eager.js';
import { type Float64, toFloat64 } from '../../tensorflow/ops/float64.js';
import { inputLength, type LabeledSamples, type Normalization, writeInput } from '../measure-inputs.js';
import { deviceDesign } from './device-design.js';
import { hostDesign } from './host-design.js';
import type { Design } from './readout-design.js';

export interface FeaturesOptions {
  /** Samples a forward pass. */
  readonly batch: number;
  readonly normalize: Normalization | undefined;
}

const small = 4_000_000; // multiplications in one product: below, this process is as fast as the device

/**
 * Φ(x) of all samples in evaluation mode, as a design: in float64 on the device where it has that, else in this process's memory
 * (8 or 4 bytes a value).
 *
 * @param keep is told of all that stays on the device, when it is made
 * @throws {WeirError} for a sample with a feature that is not finite
 */
export function* designOf(
  model: Model,
  weights: Weights,
  samples: LabeledSamples,
  { batch, normalize }: FeaturesOptions,
  keep: (made: { dispose(): void }) => void,
): Generator<void, Design> {
  const length = inputLength('readout', model, samples);
  const blocks: Float64[] = [];
  let host: Float32Array | undefined;
  let width = 0;
  for (let first = 0; first < samples.size; first += batch) {
    if (first > 0) yield;
    const n = Math.min(batch, samples.size - first);
    const rows = new Float32Array(n * length);
    for (let i = 0; i < n; i++) writeInput(samples, first + i, rows, i * length, normalize);
    const features = tf.tidy(() => model.features(weights, tf.tensor(rows, [n, ...model.inputShape])));
    width = features.shape[1];
    try {
      checkFinite(features, first);
      if (hasNative() && samples.size * width * model.classes > small) {
        const block = toFloat64(features);
        keep(block);
        blocks.push(block);
      } else {
        host ??= new Float32Array(samples.size * width);
        host.set(features.dataSync<'float32'>(), first * width);
      }
    } finally {
      features.dispose();
    }
  }
  return host === undefined ? deviceDesign(blocks) : hostDesign(host, samples.size, width);
}

function checkFinite(features: tf.Tensor2D, first: number): void {
  const sums = tf.tidy(() => tf.sum(tf.mul(features, 0), 1)); // NaN where a value is NaN or infinite
  const odd = sums.dataSync().findIndex((sum) => sum !== 0);
  sums.dispose();
  if (odd === -1) return;
  throw new WeirError(
    `the features of sample ${first + odd} are not finite: no readout can be fitted to them`,
    'the network has diverged, or that sample holds a number that is none: measure an earlier update, or mend the data',
  );
}
