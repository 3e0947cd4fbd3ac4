import { createHash } from 'node:crypto';
import { bytesOf } from './bytes.js';
import type { TypedArray } from './data.js';

/** One thing that can be compared: a count, a checksum, or names in order. */
export type Fact = string | number | readonly (string | number)[];

/** What an input is, in facts by name; other contents have other facts. Plain JSON. */
export interface Fingerprint {
  readonly facts: Readonly<Record<string, Fact>>;
  /** Of an input that lies in many files, a line for each, `checksum path`, in their order: so that one that differs can be named. */
  readonly files?: readonly string[];
}

/** What a part of the graph takes in besides the config and the module, such as a data set or the weights of another run. */
export interface Input {
  /** As messages call it. */
  readonly name: string;
  /** Reads it through, which takes a moment where it is large. */
  fingerprint(): Fingerprint;
  /** Of labeled samples: what they are. */
  readonly samples?: InputSamples;
  /** Of images: a number for each file, in their order, that is the same where the file is. */
  readonly marks?: (() => Float64Array) | undefined;
}

/** Samples by their bytes, so that those of one input can be found in another. */
export interface InputSamples {
  readonly size: number;
  readonly sampleShape: readonly number[];
  readonly values?: TypedArray | undefined;
}

interface Samples {
  readonly name: string;
  readonly size: number;
  readonly sampleShape: readonly number[];
  readonly classes?: readonly string[];
  readonly labels: TypedArray;
  readonly values?: TypedArray | undefined;
  /** Of images that were decoded into memory: the marks of their files. */
  readonly origins?: Float64Array | undefined;
}

/**
 * Labeled samples as an input of the stage that takes them: their number and shape, the names of their classes in order, and SHA-256 of
 * labels and values.
 *
 * @param files of samples that are read one by one while a run goes on: a line each, see `Fingerprint`
 * @param marks of images, see `Input`
 */
export function samplesInput(samples: Samples, files?: () => readonly string[], marks?: () => Float64Array): Input {
  const { origins } = samples;
  return {
    name: samples.name,
    samples,
    marks: marks ?? (origins && (() => origins)),
    fingerprint() {
      let known = fingerprints.get(samples);
      if (known === undefined) {
        known = readThrough(samples, files?.());
        fingerprints.set(samples, known);
      }
      return known;
    },
  };
}

function readThrough(samples: Samples, files: readonly string[] | undefined): Fingerprint {
  const { size, sampleShape, classes, labels, values } = samples;
  const facts = {
    ...{ samples: size, shape: sampleShape, ...(classes && { classes }), labels: sha256Of(bytesOf(labels)) },
    ...(values && { values: sha256Of(bytesOf(values)) }),
    ...(files && { images: sha256Of(Buffer.from(files.join('\n'))) }),
  };
  return { facts, ...(files && { files }) };
}

/** A data set that several stages take is read through once. */
const fingerprints = new WeakMap<Samples, Fingerprint>();

/** SHA-256 of bytes one after another, in hexadecimal. */
export function sha256Of(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
