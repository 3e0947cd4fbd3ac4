import type { OperatorFunction } from 'rxjs';
import { type Positioned, sizeOf } from '../flow/data.js';
import type { ClassNames, Input, NormalizedBy } from '../flow/header.js';
import { stage } from '../flow/stage.js';
import { samplesInput } from './fingerprint.js';
import { type Images, indexOf, marksOf } from './images/reader.js';
import { checkSamples, distinctNames, type Labels, mappedLabels, sharedLabels } from './sample-check.js';

/** Names, labels and shape of samples. */
export interface Labeled {
  readonly name: string;
  /** Number of samples. */
  readonly size: number;
  /** Shape of one sample; images are [height, width, channels]. An extent that varies from sample to sample is 0. */
  readonly sampleShape: readonly number[];
  /** Names of the classes, in the order of their labels. */
  readonly classes: readonly string[];
  /** [size], each below `classes.length`. */
  readonly labels: Labels;
}

/** The values that an input may take: one range for all of it, or one for each channel, or for each feature of a vector. */
export interface Box {
  readonly min: number | readonly number[];
  readonly max: number | readonly number[];
}

/**
 * Labeled samples in memory that worker threads read without a copy.
 *
 * Values and labels stay the data set's: whoever reads them changes nothing. `dataset` makes one of your own numbers, and checks it; one made by
 * hand is checked where it is used, and copied to shared memory once.
 *
 * @example
 * const points: Dataset = dataset({ values: [[0, 0], [1, 1]], labels: ['dark', 'light'], name: 'corners' });
 * const { values, labels, classes } = points; // float32 of 2 × 2 values; 0, 1; 'dark', 'light'
 */
export interface Dataset extends Labeled {
  /** [size, ...sampleShape], on shared memory; bytes are pixels 0 to 255. */
  readonly values: Uint8Array | Float32Array;
  /** Of floats: the values that a sample may take, in their units. An attack stays inside; by default it takes 0 to 1. */
  readonly box?: Box;
  /** Of values that `standardized` has made: the mean and deviation of each feature that they were standardized by. */
  readonly normalization?: NormalizedBy;
  readonly images?: undefined;
  /** Of images that were decoded into memory: the marks of their files, see `marksOf`. */
  readonly origins?: Float64Array;
}

/** Labeled images outside of memory that worker threads read and decode. Their sizes differ, so their shape is [0, 0, 3]. */
export interface ImageDataset extends Labeled {
  readonly images: Images;
  readonly values?: undefined;
  readonly normalization?: undefined;
}

export type AnyDataset = Dataset | ImageDataset;

/** A data set as an input of a stage; images outside of memory are identified by the index of their files. */
export const inputOf = (dataset: AnyDataset): Input => {
  const { images } = dataset;
  return samplesInput(dataset, images && (() => indexOf(images)), images && (() => marksOf(images)));
};

/** Bytes that every thread sees. */
export const sharedBytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));

/** Floats that every thread sees. */
export const sharedFloats = (length: number): Float32Array => new Float32Array(new SharedArrayBuffer(4 * length));

/** The number of values in one sample. */
export const sampleLength = (dataset: Pick<AnyDataset, 'sampleShape'>): number => sizeOf(dataset.sampleShape);

const onSharedMemory = new WeakMap<AnyDataset, AnyDataset>();

/**
 * The data set, checked once, with its values on memory that worker threads share. Values on other memory are copied, once.
 *
 * @throws {WeirError} as `dataset` does
 */
export function preparedDataset(given: AnyDataset): AnyDataset {
  checkSamples(given);
  if (given.images || given.values.buffer instanceof SharedArrayBuffer) return given;
  let found = onSharedMemory.get(given);
  if (found === undefined) {
    const values = (given.values instanceof Uint8Array ? sharedBytes : sharedFloats)(given.values.length);
    values.set(given.values);
    found = { ...given, values };
    checkSamples(found);
    onSharedMemory.set(given, found);
  }
  return found;
}

/** The names of its classes, with the name of the data set for messages. */
export const classNames = ({ name, classes }: Pick<AnyDataset, 'name' | 'classes'>): ClassNames => ({
  of: name,
  names: classes,
});

/**
 * A data set with the labels of another one's classes, matched by name (in Unicode's NFC), so that one training can read both.
 * It may lack some of the classes, and have them in any order.
 *
 * @param reference the data set whose classes it gets
 * @throws {WeirError} for a class that has samples and that the reference lacks
 * @example const more = alignedTo(train, await imageFolder({ folder: 'more' }));
 */
export function alignedTo<D extends AnyDataset>(reference: Pick<AnyDataset, 'name' | 'classes'>, dataset: D): D {
  const own = classNames(reference);
  const found = mappedLabels(dataset.labels, classNames(dataset), own, 'rename that class, or take it away');
  const labels = sharedLabels(own.names.length, dataset.size);
  labels.set(found);
  return { ...dataset, classes: reference.classes, labels };
}

/**
 * Names the classes of a stream behind an operator that changed the labels. Later stages match them with the network by these names.
 *
 * Bound, order: those of the stream. State: none. Failure: two classes of one name.
 *
 * @example
 * const parity = (block: Samples) => ({ ...block, labels: block.labels.map((label) => label % 2) });
 * samples$.pipe(map(parity), labeled(['even', 'odd']), batch(64)); // and a test set of these classes
 */
export function labeled<T extends Positioned>(names: readonly string[], name = 'labeled'): OperatorFunction<T, T> {
  const classes = { of: name, names: distinctNames({ of: name, names }) };
  return stage<T, T, null>({
    name,
    start: () => null,
    introduce: (incoming) => (incoming.length === 0 ? [{}] : incoming).map((header) => ({ ...header, classes })),
    next: (none, item) => [none, item],
  });
}

/**
 * Floats with undefined values, in memory of their own, for code that writes all of them. Zeros would cost a tenth of the time in which
 * a block of large images is rendered.
 */
export const unfilled = (length: number): Float32Array<ArrayBuffer> =>
  new Float32Array(Buffer.allocUnsafeSlow(4 * length).buffer as ArrayBuffer, 0, length);
