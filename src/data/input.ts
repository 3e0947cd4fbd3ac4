import type { TypedArray } from '../flow/core-data.js';
import type { Fingerprint, Input } from '../flow/header.js';
import { bytesOf, sha256Of } from '../storage/core-bytes.js';

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
