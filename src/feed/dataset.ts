import { type Input, samplesInput } from '../core/input.js';
import type { Labels } from '../core/labels.js';
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
