import type { Box } from '../data/dataset.js';
import { checkSamples, type Labels, mappedLabels } from '../data/sample-check.js';
import { sizeOf } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { type ClassNames, classesOf, type Introduce } from '../flow/header.js';
import { noticeOnce } from '../flow/terminal.js';
import type { Model } from '../learn/model/model.js';

/** Labeled samples in memory: what measuring needs of a data set. */
export interface LabeledSamples {
  readonly name: string;
  readonly size: number;
  /** Shape of one sample; images are [height, width, channels]. */
  readonly sampleShape: readonly number[];
  /** [size, ...sampleShape]; bytes are pixels 0 to 255. */
  readonly values: Uint8Array | Float32Array;
  readonly labels: Labels;
  /** Of floats: the values that a sample may take, in their units. */
  readonly box?: Box | undefined;
  /** Of values that are standardized: what by. */
  readonly normalization?: Normalization | undefined;
  /** Names of the classes, in the order of the labels. Without them a label is the number of the network's output. */
  readonly classes?: readonly string[] | undefined;
  /** Of images that were decoded into memory: the marks of the files that they came from. */
  readonly origins?: Float64Array | undefined;
}

/** Samples whose labels are those of the network that is measured, as soon as it is known what that one's outputs stand for. */
export interface NamedSamples extends LabeledSamples {
  /** The same as the method of a stage: what comes is a network, whose classes its labels go by from now on. */
  readonly introduce: Introduce;
}

/**
 * Samples for a measuring stage, whose labels go by the names of the network's classes (in Unicode's NFC) and never by place: they may
 * lack classes that it knows, and have them in another order.
 *
 * @param model whose outputs are compared with the labels
 * @throws {WeirError} for samples that `checkSamples` refuses
 * @returns the samples; their `introduce` is to be that of the stage, and throws a `WeirError` for a class, or a label, that the
 * network has not
 */
export function byName(stage: string, model: Model, samples: LabeledSamples): NamedSamples {
  checkSamples(samples);
  const { name, size, sampleShape, values, classes, normalization, labels: given } = samples;
  let labels: Labels | undefined;
  const checked = (found: Labels): Labels => {
    const odd = found.findIndex((label) => label >= model.classes);
    if (odd === -1) return found;
    throw new WeirError(
      `stage '${stage}': sample ${odd} of '${name}' has label ${found[odd]}, but ${model.name} has ${model.classes} outputs`,
      'give the model as many outputs as there are classes, or take those samples away',
    );
  };
  return {
    name,
    size,
    sampleShape,
    values,
    classes,
    normalization,
    get labels() {
      labels ??= checked(given);
      return labels;
    },
    introduce(incoming) {
      const own: ClassNames | undefined = classesOf(stage, incoming);
      const theirs = classes && { of: name, names: classes };
      if (own === undefined ? theirs !== undefined : theirs === undefined) {
        const nameless = own === undefined ? "the network's outputs" : `'${name}'`;
        noticeOnce(
          `stage '${stage}': the classes of ${nameless} have no names, so labels of '${name}' go by their place`,
        );
      }
      labels = checked(own && theirs ? mappedLabels(given, theirs, own, unknown) : given);
      return incoming;
    },
  };
}

const unknown = 'measure on the classes that the network was trained on: rename that class, or take it away';

/** Mean and standard deviation of each channel, in units of [0, 1]; one number serves all channels. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * The number of values in one sample, once it is sure that the samples are whole and that the model takes them.
 *
 * @throws {WeirError} for samples of another size, or that `checkSamples` refuses
 */
export function inputLength(stage: string, model: Model, samples: LabeledSamples): number {
  const length = sizeOf(samples.sampleShape);
  if (length !== sizeOf(model.inputShape)) {
    throw new WeirError(
      `stage '${stage}' was given samples of shape [${samples.sampleShape.join(', ')}] ('${samples.name}'), but ${model.name} takes [${model.inputShape.join(', ')}]`,
      `give the model an input of ${length} values, or the data another shape`,
    );
  }
  if (!('introduce' in samples)) checkSamples(samples); // else `byName` has, of the samples as they were given
  return length;
}

/**
 * Writes one sample into `into` from `offset` on, in the units that the model takes: bytes become [0, 1], floats stay as they
 * are, then (x − mean) / deviation by channel where asked.
 *
 * @example
 * const row = new Float32Array(784);
 * writeInput(test, 7, row, 0); // sample 7, as the model takes it
 */
export function writeInput(
  samples: LabeledSamples,
  index: number,
  into: Float32Array,
  offset: number,
  normalize?: Normalization,
): void {
  const { values, sampleShape } = samples;
  if (normalize !== undefined && samples.normalization !== undefined) {
    throw new WeirError(`'${samples.name}' is standardized already`, 'leave normalize out');
  }
  const length = sizeOf(sampleShape);
  const scale = values instanceof Uint8Array ? 255 : 1;
  const from = index * length;
  for (let i = 0; i < length; i++) {
    const value = values[from + i]! / scale;
    into[offset + i] = normalize === undefined ? value : normalized(value, i, normalize);
  }
}

const normalized = (value: number, i: number, { mean, std }: Normalization): number =>
  (value - mean[i % mean.length]!) / std[i % std.length]!;
