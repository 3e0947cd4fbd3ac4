import { WeirError } from '../core/errors.js';
import type { Labels } from '../core/labels.js';
import { checkSamples } from '../core/samples.js';
import type { Model } from '../learn/model/model.js';

/** Labelled samples in memory: what measuring needs of a data set. */
export interface LabelledSamples {
  readonly name: string;
  readonly size: number;
  /** Shape of one sample; images are [height, width, channels]. */
  readonly sampleShape: readonly number[];
  /** [size, ...sampleShape]; bytes are pixels 0 to 255. */
  readonly values: Uint8Array | Float32Array;
  readonly labels: Labels;
}

/** Mean and standard deviation of each channel, in units of [0, 1]; one number serves all channels. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * The number of values in one sample, once it is sure that the samples are whole and that the model takes them.
 *
 * @throws {WeirError} for samples of another size, that `checkSamples` refuses, or with a label that the model has no output for
 */
export function inputLength(stage: string, model: Model, samples: LabelledSamples): number {
  const product = (shape: readonly number[]): number => shape.reduce((size, extent) => size * extent, 1);
  const length = product(samples.sampleShape);
  if (length !== product(model.inputShape)) {
    throw new WeirError(
      `stage '${stage}' was given samples of shape [${samples.sampleShape.join(', ')}] ('${samples.name}'), but ${model.name} takes [${model.inputShape.join(', ')}]`,
      `give the model an input of ${length} values, or the data another shape`,
    );
  }
  const highest = checkSamples(samples);
  if (highest >= model.classes) {
    throw new WeirError(
      `stage '${stage}' was given sample ${samples.labels.indexOf(highest)} of '${samples.name}' with the label ${highest}, but ${model.name} tells ${model.classes} classes apart`,
      `give the model ${highest + 1} classes, or samples with labels from 0 to ${model.classes - 1}`,
    );
  }
  return length;
}

/**
 * Writes one sample into `into` from `offset` on, in the units that the model takes: bytes become [0, 1], floats stay as they
 * are, then (x − mean) / deviation by channel where asked.
 */
export function writeInput(
  samples: LabelledSamples,
  index: number,
  into: Float32Array,
  offset: number,
  normalise?: Normalisation,
): void {
  const { values, sampleShape } = samples;
  const length = sampleShape.reduce((size, extent) => size * extent, 1);
  const scale = values instanceof Uint8Array ? 255 : 1;
  const from = index * length;
  for (let i = 0; i < length; i++) {
    const value = values[from + i]! / scale;
    into[offset + i] = normalise === undefined ? value : normalised(value, i, normalise);
  }
}

const normalised = (value: number, i: number, { mean, std }: Normalisation): number =>
  (value - mean[i % mean.length]!) / std[i % std.length]!;
