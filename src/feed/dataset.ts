import type { OperatorFunction } from 'rxjs';
import { type ClassNames, distinctNames, labelsAmong } from '../core/class-names.js';
import { type Input, samplesInput } from '../core/input.js';
import type { Positioned } from '../core/item.js';
import { type Labels, sharedLabels } from '../core/labels.js';
import { stage } from '../core/stage.js';
import { type Images, indexOf } from './images/images.js';

/** What samples are called and belong to. */
interface Labelled {
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

/** Labelled samples in memory, which worker threads read without a copy. */
export interface Dataset extends Labelled {
  /** [size, ...sampleShape], on shared memory; bytes are pixels 0 to 255. */
  readonly values: Uint8Array | Float32Array;
  readonly images?: undefined;
}

/** Labelled images outside of memory, of different sizes (their shape is [0, 0, 3]), which worker threads read and decode. */
export interface ImageDataset extends Labelled {
  readonly images: Images;
  readonly values?: undefined;
}

export type AnyDataset = Dataset | ImageDataset;

/** A data set as an input of the part of the graph that takes it; images outside of memory go by the index of their files. */
export const inputOf = (dataset: AnyDataset): Input => {
  const { images } = dataset;
  return samplesInput(dataset, images && (() => indexOf(images)));
};

/** Bytes that every thread sees. */
export const sharedBytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));

/** Floats that every thread sees. */
export const sharedFloats = (length: number): Float32Array => new Float32Array(new SharedArrayBuffer(4 * length));

/** The number of values in one sample. */
export const sampleLength = (dataset: Pick<AnyDataset, 'sampleShape'>): number =>
  dataset.sampleShape.reduce((length, extent) => length * extent, 1);

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
