/** Labelled samples in memory, which worker threads read without a copy. */
export interface Dataset {
  readonly name: string;
  /** Number of samples. */
  readonly size: number;
  /** Shape of one sample; images are [height, width, channels]. */
  readonly sampleShape: readonly number[];
  /** Names of the classes, in the order of their labels. */
  readonly classes: readonly string[];
  /** [size, ...sampleShape], on shared memory; bytes are pixels 0 to 255. */
  readonly values: Uint8Array | Float32Array;
  /** [size], each below `classes.length`. */
  readonly labels: Uint8Array;
}

/** Bytes that every thread sees. */
export const sharedBytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));

/** Floats that every thread sees. */
export const sharedFloats = (length: number): Float32Array => new Float32Array(new SharedArrayBuffer(4 * length));

/** The number of values in one sample. */
export const sampleLength = (dataset: Pick<Dataset, 'sampleShape'>): number =>
  dataset.sampleShape.reduce((length, extent) => length * extent, 1);
