import type { OperatorFunction } from 'rxjs';
import { stage } from '../flow/core-stage.js';
import { WeirError } from '../flow/errors.js';
import type { ClassNames, Input } from '../flow/header.js';
import type { Positioned } from '../flow/item.js';
import { distinctNames, labelsAmong } from './core-class-names.js';
import { type Images, indexOf, marksOf } from './images/images.js';
import { samplesInput } from './input.js';
import { type Labels, sharedLabels } from './labels.js';
import { checkFinite, checkLength, checkSamples, noClass } from './sample-check.js';

/** What samples are called and belong to. */
interface Labeled {
  readonly name: string;
  /** Number of samples. */
  readonly size: number;
  /** Shape of one sample; images are [height, width, channels]. 0 is an extent that varies from sample to sample. */
  readonly sampleShape: readonly number[];
  /** Names of the classes, in the order of their labels. */
  readonly classes: readonly string[];
  /** [size], each below `classes.length`. */
  readonly labels: Labels;
}

/** Labeled samples in memory, which worker threads read without a copy. */
export interface Dataset extends Labeled {
  /** [size, ...sampleShape], on shared memory; bytes are pixels 0 to 255. */
  readonly values: Uint8Array | Float32Array;
  readonly images?: undefined;
  /** Of images that were decoded into memory: the marks of the files that they came from, see `marksOf`. */
  readonly origins?: Float64Array;
}

/** Labeled images outside of memory, of different sizes (their shape is [0, 0, 3]), which worker threads read and decode. */
export interface ImageDataset extends Labeled {
  readonly images: Images;
  readonly values?: undefined;
}

export type AnyDataset = Dataset | ImageDataset;

/** A data set as an input of the part of the graph that takes it; images outside of memory go by the index of their files. */
export const inputOf = (dataset: AnyDataset): Input => {
  const { images } = dataset;
  return samplesInput(dataset, images && (() => indexOf(images)), images && (() => marksOf(images)));
};

/** Bytes that every thread sees. */
export const sharedBytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));

/** Floats that every thread sees. */
export const sharedFloats = (length: number): Float32Array => new Float32Array(new SharedArrayBuffer(4 * length));

/** The number of values in one sample. */
export const sampleLength = (dataset: Pick<AnyDataset, 'sampleShape'>): number =>
  dataset.sampleShape.reduce((length, extent) => length * extent, 1);

export interface DatasetOptions {
  /** Sample after sample: numbers as they are, or bytes (Uint8Array, Uint8ClampedArray) that are pixels 0 to 255. */
  readonly values: ArrayLike<number>;
  /** A label a sample, each the place of its class in `classes`. */
  readonly labels: ArrayLike<number>;
  readonly sampleShape: readonly number[];
  readonly classes: readonly string[];
  /** What errors and reports call it. */
  readonly name?: string;
}

/**
 * A data set of the user's own: checked, and copied onto memory that worker threads share.
 *
 * @throws {WeirError} for a length that is not that of the shape, a label that is no class, or a value that is no finite number
 * @example dataset({ values: [0, 0, 0, 1, 1, 0, 1, 1], labels: [0, 1, 1, 0], sampleShape: [2], classes: ['same', 'different'], name: 'xor' })
 */
export function dataset({ values, labels, sampleShape, classes, name = 'data' }: DatasetOptions): Dataset {
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
  checkFinite(name, values, sampleShape); // before float32 makes an infinity of what is too large for it
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
 * The data set, checked once, and its values on memory that worker threads see: those of an object made by hand are copied there.
 *
 * @throws {WeirError} as `dataset` does
 */
export function prepared(given: AnyDataset): AnyDataset {
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

/** The names of its classes, as messages and those who meet it want them. */
export const classNames = ({ name, classes }: Pick<AnyDataset, 'name' | 'classes'>): ClassNames => ({
  of: name,
  names: classes,
});

/**
 * A data set with the labels of another one's classes, by name (in Unicode's NFC) and never by place: so two folders can be drawn from
 * by turns. It may lack some of the classes, and have them in any order.
 *
 * @param reference whose classes they become @throws {WeirError} for a class with samples that is unknown there
 * @example const more = alignedTo(train, await imageFolder({ folder: 'more' }));
 */
export function alignedTo<D extends AnyDataset>(reference: Pick<AnyDataset, 'name' | 'classes'>, dataset: D): D {
  const own = classNames(reference);
  const found = labelsAmong(dataset.labels, classNames(dataset), own, 'rename that class, or take it away');
  const labels = sharedLabels(own.names.length, dataset.size);
  labels.set(found);
  return { ...dataset, classes: reference.classes, labels };
}

/**
 * Says what the labels of a stream stand for from here on, where an operator of the user's has made others of them: what follows is
 * matched with the network by these names.
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
