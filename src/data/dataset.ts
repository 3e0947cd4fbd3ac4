import type { OperatorFunction } from 'rxjs';
import { type Positioned, sizeOf } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { ClassNames, Input } from '../flow/header.js';
import { checkOptions } from '../flow/options.js';
import { keyed } from '../flow/random.js';
import { stage } from '../flow/stage.js';
import { samplesInput } from './fingerprint.js';
import { type Images, indexOf, marksOf } from './images/reader.js';
import {
  checkFinite,
  checkLength,
  checkSamples,
  distinctNames,
  type Labels,
  mappedLabels,
  noClass,
  sharedLabels,
} from './sample-check.js';

/** Names, labels and shape of samples. */
interface Labeled {
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

/** Labeled samples in memory that worker threads read without a copy. */
export interface Dataset extends Labeled {
  /** [size, ...sampleShape], on shared memory; bytes are pixels 0 to 255. */
  readonly values: Uint8Array | Float32Array;
  readonly images?: undefined;
  /** Of images that were decoded into memory: the marks of their files, see `marksOf`. */
  readonly origins?: Float64Array;
}

/** Labeled images outside of memory that worker threads read and decode. Their sizes differ, so their shape is [0, 0, 3]. */
export interface ImageDataset extends Labeled {
  readonly images: Images;
  readonly values?: undefined;
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

export interface DatasetOptions {
  /** Sample after sample: numbers as they are, or bytes (Uint8Array, Uint8ClampedArray) that are pixels 0 to 255. */
  readonly values: ArrayLike<number>;
  /** A label for each sample: the position of its class in `classes`. */
  readonly labels: ArrayLike<number>;
  readonly sampleShape: readonly number[];
  readonly classes: readonly string[];
  /** The name in errors and reports; 'data' by default. */
  readonly name?: string;
}

/**
 * A data set of one's own: checked, and copied to memory that worker threads share.
 *
 * @throws {WeirError} for a length that is not that of the shape, a label that is no class, or a value that is no finite number
 * @example dataset({ values: [0, 0, 0, 1, 1, 0, 1, 1], labels: [0, 1, 1, 0], sampleShape: [2], classes: ['same', 'different'], name: 'xor' })
 */
export function dataset(options: DatasetOptions): Dataset {
  const {
    values,
    labels,
    sampleShape,
    classes,
    name = 'data',
  } = checkOptions(
    'dataset',
    options,
    { values: 'required', labels: 'required', sampleShape: 'required', classes: 'required', name: 'optional' },
    'ignored',
  );
  const size = labels.length;
  if (!Array.isArray(classes)) {
    throw new WeirError(
      `data set '${name}' was given ${classes === undefined ? 'no names' : JSON.stringify(classes)} for its classes`,
      "give their names as a list, in the order of the labels: classes: ['cat', 'dog']",
    );
  }
  if (typeof values[0] === 'object' && values[0] !== null) {
    throw new WeirError(
      `the values of data set '${name}' are a list of lists`,
      'give them one after another in one list: values: samples.flatMap((sample) => [...sample])',
    );
  }
  checkLength(name, size, sampleShape, values.length);
  const bytes = values instanceof Uint8Array || values instanceof Uint8ClampedArray;
  checkFinite(name, values, sampleShape); // before float32 turns a number that is too large into infinity
  const own = sharedLabels(classes.length, size);
  for (let i = 0; i < size; i++) {
    const label = labels[i]!;
    if (!(Number.isInteger(label) && label >= 0 && label < classes.length)) throw noClass(name, i, label, classes);
    own[i] = label;
  }
  const shared = (bytes ? sharedBytes : sharedFloats)(values.length);
  shared.set(values);
  const made: Dataset = {
    name,
    size,
    sampleShape: [...sampleShape],
    classes: [...classes],
    labels: own,
    values: shared,
  };
  checkSamples(made);
  return made;
}

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
 * @example samples$.pipe(map(parity), labeled(['even', 'odd']), batch(64), train(…)); // and a test set of these classes
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
 * Splits a data set by seed into training and test samples, each class in its proportion (to within one sample). Both parts keep the order.
 */
export function split(
  dataset: Dataset,
  { seed, testSize }: { seed: number; testSize: number },
): { train: Dataset; test: Dataset } {
  if (!Number.isInteger(testSize) || testSize < 1 || testSize >= dataset.size) {
    throw new WeirError(
      `testSize is ${testSize}, but '${dataset.name}' has ${dataset.size} samples to split`,
      `give a whole number from 1 to ${dataset.size - 1}`,
    );
  }
  const held = new Uint8Array(dataset.size);
  let seen = 0;
  let taken = 0;
  dataset.classes.forEach((_, label) => {
    const members: number[] = [];
    for (let i = 0; i < dataset.size; i++) if (dataset.labels[i] === label) members.push(i);
    seen += members.length;
    const count = Math.round((testSize * seen) / dataset.size) - taken; // rounding the running total, so that all add up
    taken += count;
    const random = keyed(seed, 'split', label);
    for (let i = 0; i < count; i++) {
      const j = i + random.integer(members.length - i);
      held[members[j]!] = 1;
      members[j] = members[i]!;
    }
  });
  return { train: subset(dataset, 'train', held, 0), test: subset(dataset, 'test', held, 1) };
}

function subset(dataset: Dataset, part: string, held: Uint8Array, wanted: number): Dataset {
  const length = sampleLength(dataset);
  const size = held.reduce((count, flag) => count + Number(flag === wanted), 0);
  const values = dataset.values instanceof Uint8Array ? sharedBytes(size * length) : sharedFloats(size * length);
  const labels = sharedLabels(dataset.classes.length, size);
  let to = 0;
  for (let from = 0; from < dataset.size; from++) {
    if (held[from] !== wanted) continue;
    values.set(dataset.values.subarray(from * length, (from + 1) * length), to * length);
    labels[to++] = dataset.labels[from]!;
  }
  return { ...dataset, name: `${dataset.name}/${part}`, size, values, labels };
}

/**
 * Floats with undefined values, in memory of their own, for code that writes all of them. Zeros would cost a tenth of the time in which
 * a block of large images is rendered.
 */
export const unfilled = (length: number): Float32Array<ArrayBuffer> =>
  new Float32Array(Buffer.allocUnsafeSlow(4 * length).buffer as ArrayBuffer, 0, length);
